//go:build linux

package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// volumes are the folders of a pod's volumes.
type volumes struct {
	agent  *agent
	dir    string
	tokens map[string]token // by file
}

// token is a ServiceAccount's token that was written to a file.
type token struct {
	text  string
	renew time.Time // after four fifths of its life, as the kubelet does
}

// file is one to be written into a volume.
type file struct {
	content []byte
	mode    fs.FileMode
}

func (v *volumes) path(name string) string { return filepath.Join(v.dir, name) }

// write makes the pod's volumes, or brings those up to date whose content is
// in the API.
func (v *volumes) write(ctx context.Context, p placed) error {
	for i := range p.Spec.Volumes {
		vol := &p.Spec.Volumes[i]
		files, err := v.content(ctx, p, vol)
		if err != nil {
			return fmt.Errorf("volume %s: %w", vol.Name, err)
		}
		if err := writeFiles(v.path(vol.Name), files); err != nil {
			return fmt.Errorf("volume %s: %w", vol.Name, err)
		}
	}
	return nil
}

// changing reports whether a volume's content is in the API.
func changing(p *corev1.Pod) bool {
	for i := range p.Spec.Volumes {
		if p.Spec.Volumes[i].EmptyDir == nil {
			return true
		}
	}
	return false
}

func (v *volumes) content(ctx context.Context, p placed, vol *corev1.Volume) (map[string]file, error) {
	files := map[string]file{}
	switch {
	case vol.EmptyDir != nil:
		return files, nil
	case vol.ConfigMap != nil:
		s := vol.ConfigMap
		data, err := configMap(ctx, v.agent.live, p.Namespace, s.Name, s.Optional)
		if err != nil {
			return nil, err
		}
		return files, project(files, data, s.Items, s.DefaultMode, s.Optional)
	case vol.Secret != nil:
		s := vol.Secret
		data, err := secret(ctx, v.agent.live, p.Namespace, s.SecretName, s.Optional)
		if err != nil {
			return nil, err
		}
		return files, project(files, data, s.Items, s.DefaultMode, s.Optional)
	case vol.DownwardAPI != nil:
		return files, downward(files, p, vol.DownwardAPI.Items, vol.DownwardAPI.DefaultMode)
	case vol.Projected != nil:
		for i := range vol.Projected.Sources {
			if err := v.source(ctx, files, p, &vol.Projected.Sources[i], vol.Projected.DefaultMode); err != nil {
				return nil, err
			}
		}
		return files, nil
	}
	return nil, errors.New("an embedded cluster has emptyDir, configMap, secret, downwardAPI and projected volumes; " +
		"in particular a pod is shown none of this machine's files")
}

func (v *volumes) source(ctx context.Context, files map[string]file, p placed, s *corev1.VolumeProjection, mode *int32) error {
	switch {
	case s.ConfigMap != nil:
		data, err := configMap(ctx, v.agent.live, p.Namespace, s.ConfigMap.Name, s.ConfigMap.Optional)
		if err != nil {
			return err
		}
		return project(files, data, s.ConfigMap.Items, mode, s.ConfigMap.Optional)
	case s.Secret != nil:
		data, err := secret(ctx, v.agent.live, p.Namespace, s.Secret.Name, s.Secret.Optional)
		if err != nil {
			return err
		}
		return project(files, data, s.Secret.Items, mode, s.Secret.Optional)
	case s.DownwardAPI != nil:
		return downward(files, p, s.DownwardAPI.Items, mode)
	case s.ServiceAccountToken != nil:
		return v.token(ctx, files, p, s.ServiceAccountToken, mode)
	}
	return errors.New("a projected volume has configMap, secret, downwardAPI and serviceAccountToken sources here")
}

// token requests a ServiceAccount's token, or keeps the one of before.
func (v *volumes) token(ctx context.Context, files map[string]file, p placed, s *corev1.ServiceAccountTokenProjection, mode *int32) error {
	key := s.Audience + " " + s.Path
	t, ok := v.tokens[key]
	if !ok || time.Now().After(t.renew) {
		request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
			ExpirationSeconds: s.ExpirationSeconds,
			BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: p.Name, UID: p.UID},
		}}
		if s.Audience != "" {
			request.Spec.Audiences = []string{s.Audience}
		}
		account := p.Spec.ServiceAccountName
		got, err := v.agent.tokens.CoreV1().ServiceAccounts(p.Namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("token of ServiceAccount %s: %w", account, err)
		}
		life := time.Until(got.Status.ExpirationTimestamp.Time)
		t = token{text: got.Status.Token, renew: time.Now().Add(life * 4 / 5)}
		if v.tokens == nil {
			v.tokens = map[string]token{}
		}
		v.tokens[key] = t
	}
	return add(files, s.Path, []byte(t.text), mode, nil)
}

// project adds the items of a ConfigMap or Secret, or all of it.
func project(files map[string]file, data map[string][]byte, items []corev1.KeyToPath, mode *int32, optional *bool) error {
	if items == nil {
		for name, content := range data {
			if err := add(files, name, content, mode, nil); err != nil {
				return err
			}
		}
		return nil
	}
	for _, i := range items {
		content, ok := data[i.Key]
		if !ok {
			if optional != nil && *optional {
				continue
			}
			return fmt.Errorf("it refers to a key that is not there: %s", i.Key)
		}
		if err := add(files, i.Path, content, mode, i.Mode); err != nil {
			return err
		}
	}
	return nil
}

func downward(files map[string]file, p placed, items []corev1.DownwardAPIVolumeFile, mode *int32) error {
	for i := range items {
		item := &items[i]
		var value string
		var err error
		switch {
		case item.FieldRef != nil:
			value, err = field(p, item.FieldRef.FieldPath)
		case item.ResourceFieldRef != nil:
			value, err = resourceField(p.Pod, &p.Spec.Containers[0], item.ResourceFieldRef)
		}
		if err == nil {
			err = add(files, item.Path, []byte(value), mode, item.Mode)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", item.Path, err)
		}
	}
	return nil
}

func add(files map[string]file, path string, content []byte, mode, own *int32) error {
	if !filepath.IsLocal(path) {
		return fmt.Errorf("path %q leaves the volume", path)
	}
	f := file{content: content, mode: 0o644}
	for _, m := range []*int32{mode, own} {
		if m != nil {
			f.mode = fs.FileMode(*m) & fs.ModePerm
		}
	}
	files[filepath.Clean(path)] = f
	return nil
}

// writeFiles brings a folder in line with files: each is replaced whole, and
// those that are no longer named go. A folder without any is left alone, as
// emptyDir is the containers'.
func writeFiles(dir string, files map[string]file) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if len(files) == 0 {
		return os.Chmod(dir, 0o777)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for name, f := range files {
		if old, err := root.ReadFile(name); err == nil && bytes.Equal(old, f.content) {
			continue
		}
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		fresh := name + ".new"
		if err := root.WriteFile(fresh, f.content, f.mode); err != nil {
			return err
		}
		if err := root.Chmod(fresh, f.mode); err != nil { // whatever the umask
			return err
		}
		if err := root.Rename(fresh, name); err != nil {
			return err
		}
	}
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if _, ok := files[filepath.FromSlash(name)]; !ok {
			return root.Remove(name)
		}
		return nil
	})
}
