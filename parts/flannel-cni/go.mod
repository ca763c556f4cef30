module castle.local/parts/flannel-cni

go 1.26.0
