// Unpacks images into what containerd keeps under /var/lib/containerd, so that a machine starts with its images in
// place instead of pulling and unpacking them. Reads a list of OCI layouts from standard input, writes into the folder
// that is its argument. Needs root: whoever unpacks an image makes files of any owner.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff/apply"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/rootfs"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
)

const snapshotter = "overlayfs"

// image is one image of a node.
type image struct {
	// Layout is the folder with index.json and blobs.
	Layout string `json:"layout"`
	// Repository is named with the registry's host.
	Repository string   `json:"repository"`
	Tags       []string `json:"tags"`
	// Namespace is containerd's: "system" for what Talos itself runs, "k8s.io" for pods.
	Namespace string `json:"namespace"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: image-unpacker FOLDER <IMAGES.json")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string) error {
	var wanted []image
	if err := json.NewDecoder(os.Stdin).Decode(&wanted); err != nil {
		return fmt.Errorf("the list of images: %w", err)
	}
	store, err := open(ctx, root)
	if err != nil {
		return err
	}
	defer store.close()
	for _, one := range wanted {
		if err := store.add(namespaces.WithNamespace(ctx, one.Namespace), one); err != nil {
			return fmt.Errorf("%s: %w", one.Repository, err)
		}
	}
	// Takes the packed layers away: nothing refers to them once they are unpacked.
	if _, err := store.db.GarbageCollect(ctx); err != nil {
		return fmt.Errorf("taking packed layers away: %w", err)
	}
	return nil
}

type store struct {
	bolt     *bolt.DB
	db       *metadata.DB
	unpacked snapshots.Snapshotter
}

// open makes the folders as containerd's plugins name them.
func open(ctx context.Context, root string) (*store, error) {
	in := func(plugin string) string { return filepath.Join(root, plugin) }
	blobs, err := local.NewStore(in("io.containerd.content.v1.content"))
	if err != nil {
		return nil, err
	}
	unpacked, err := overlay.NewSnapshotter(in("io.containerd.snapshotter.v1." + snapshotter))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(in("io.containerd.metadata.v1.bolt"), 0o711); err != nil {
		return nil, err
	}
	file, err := bolt.Open(in("io.containerd.metadata.v1.bolt/meta.db"), 0o644, nil)
	if err != nil {
		return nil, err
	}
	db := metadata.NewDB(file, blobs, map[string]snapshots.Snapshotter{snapshotter: unpacked})
	return &store{bolt: file, db: db, unpacked: unpacked}, db.Init(ctx)
}

func (s *store) close() {
	s.unpacked.Close()
	s.bolt.Close()
}

func (s *store) add(ctx context.Context, one image) error {
	target, err := only(one.Layout)
	if err != nil {
		return err
	}
	manifest, err := s.copy(ctx, one.Layout, target)
	if err != nil {
		return err
	}
	chain, err := s.unpack(ctx, one.Layout, manifest)
	if err != nil {
		return err
	}
	// What the garbage collector goes by: image, manifest, configuration, snapshots.
	blobs := s.db.ContentStore()
	label := images.SetChildrenMappedLabels(blobs, images.ChildrenHandler(blobs), images.ChildGCLabelsFilterLayers)
	if err := images.Dispatch(ctx, label, nil, target); err != nil {
		return err
	}
	configuration := content.Info{
		Digest: manifest.Config.Digest,
		Labels: map[string]string{"containerd.io/gc.ref.snapshot." + snapshotter: chain},
	}
	if _, err := blobs.Update(ctx, configuration, "labels.containerd.io/gc.ref.snapshot."+snapshotter); err != nil {
		return err
	}
	return s.name(ctx, one, target, manifest)
}

// name gives the image the names that containerd's CRI plugin gives what it pulls.
func (s *store) name(ctx context.Context, one image, target ocispec.Descriptor, manifest ocispec.Manifest) error {
	names := []string{one.Repository + "@" + target.Digest.String(), manifest.Config.Digest.String()}
	for _, tag := range one.Tags {
		names = append(names, one.Repository+":"+tag)
	}
	for _, name := range names {
		record := images.Image{
			Name:   name,
			Target: target,
			Labels: map[string]string{"io.cri-containerd.image": "managed"},
		}
		if _, err := metadata.NewImageStore(s.db).Create(ctx, record); err != nil && !errdefs.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

// copy takes an image's blobs over; each is hashed on the way.
func (s *store) copy(ctx context.Context, layout string, target ocispec.Descriptor) (ocispec.Manifest, error) {
	var manifest ocispec.Manifest
	text, err := os.ReadFile(blob(layout, target))
	if err != nil {
		return manifest, err
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return manifest, err
	}
	for _, descriptor := range append(manifest.Layers, manifest.Config, target) {
		if err := s.copyBlob(ctx, layout, descriptor); err != nil {
			return manifest, err
		}
	}
	return manifest, nil
}

func (s *store) copyBlob(ctx context.Context, layout string, descriptor ocispec.Descriptor) error {
	file, err := os.Open(blob(layout, descriptor))
	if err != nil {
		return err
	}
	defer file.Close()
	return content.WriteBlob(ctx, s.db.ContentStore(), descriptor.Digest.String(), file, descriptor)
}

func (s *store) unpack(ctx context.Context, layout string, manifest ocispec.Manifest) (string, error) {
	text, err := os.ReadFile(blob(layout, manifest.Config))
	if err != nil {
		return "", err
	}
	var configuration ocispec.Image
	if err := json.Unmarshal(text, &configuration); err != nil {
		return "", err
	}
	diffs := configuration.RootFS.DiffIDs
	if len(diffs) != len(manifest.Layers) {
		return "", fmt.Errorf("%d layers and %d contents of layers", len(manifest.Layers), len(diffs))
	}
	var layers []rootfs.Layer
	for index, layer := range manifest.Layers {
		diff := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: diffs[index]}
		layers = append(layers, rootfs.Layer{Diff: diff, Blob: layer})
	}
	applier := apply.NewFileSystemApplier(s.db.ContentStore())
	if _, err := rootfs.ApplyLayers(ctx, layers, s.db.Snapshotter(snapshotter), applier); err != nil {
		return "", err
	}
	return identity.ChainID(diffs).String(), nil
}

// only is the one manifest that a layout's index lists.
func only(layout string) (ocispec.Descriptor, error) {
	text, err := os.ReadFile(filepath.Join(layout, "index.json"))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(text, &index); err != nil {
		return ocispec.Descriptor{}, err
	}
	if len(index.Manifests) != 1 {
		return ocispec.Descriptor{}, fmt.Errorf("%s lists %d images, expected one", layout, len(index.Manifests))
	}
	return index.Manifests[0], nil
}

func blob(layout string, descriptor ocispec.Descriptor) string {
	return filepath.Join(layout, "blobs", descriptor.Digest.Algorithm().String(), descriptor.Digest.Encoded())
}
