module castle.local/parts/vip-warden

go 1.26.0
