package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/causeway-gateway/causeway/routing"
)

// WriteStream writes the objects in the given order: YAML documents, each under
// a comment that names its sources, or one JSON List. from may be nil; it is
// never called concurrently.
func WriteStream(w io.Writer, objs []client.Object, o Options, from func(client.Object) []routing.ObjectRef) error {
	format, err := o.format()
	if err != nil {
		return err
	}
	if format == JSON {
		return writeList(w, objs)
	}
	return writeDocuments(w, objs, func(obj client.Object) string { return sourceComment(obj, o, from) })
}

// chunk is how many objects one worker renders at a time.
const chunk = 64

// eachRendered renders the objects on every processor and hands the bytes to
// write, chunk by chunk in order, so that memory stays bounded whatever the
// number of objects.
func eachRendered(objs []client.Object, render func(*yamlWriter, int) error, write func([]byte) error) error {
	workers := runtime.GOMAXPROCS(0)
	type part struct {
		w   yamlWriter
		err error
	}
	parts := make([]part, 4*workers)
	for start := 0; start < len(objs); start += chunk * len(parts) {
		var wg sync.WaitGroup
		used := min(len(parts), (len(objs)-start+chunk-1)/chunk)
		for k := range min(workers, used) {
			wg.Go(func() {
				for p := k; p < used; p += workers {
					parts[p].w.b = parts[p].w.b[:0]
					first := start + p*chunk
					for i := first; i < min(first+chunk, len(objs)); i++ {
						if parts[p].err = render(&parts[p].w, i); parts[p].err != nil {
							return
						}
					}
				}
			})
		}
		wg.Wait()
		for p := range parts[:used] {
			if parts[p].err != nil {
				return parts[p].err
			}
			if err := write(parts[p].w.b); err != nil {
				return fmt.Errorf("write objects: %w", err)
			}
		}
	}
	return nil
}

// writeDocuments writes a multi-document YAML stream.
func writeDocuments(w io.Writer, objs []client.Object, comment func(client.Object) string) error {
	comments := make([]string, len(objs))
	for i, o := range objs {
		comments[i] = comment(o)
	}
	render := func(y *yamlWriter, i int) error {
		m, err := plainObject(objs[i])
		if err != nil {
			return err
		}
		if i > 0 {
			y.b = append(y.b, "---\n"...)
		}
		y.b = append(y.b, comments[i]...)
		if err := y.document(m); err != nil {
			return fmt.Errorf("write %s %s/%s: %w", m["kind"], objs[i].GetNamespace(), objs[i].GetName(), err)
		}
		return nil
	}
	return eachRendered(objs, render, func(b []byte) error { _, err := w.Write(b); return err })
}

// writeList writes a v1 List, as kubectl get -o json does.
func writeList(w io.Writer, objs []client.Object) error {
	if _, err := io.WriteString(w, "{\n  \"apiVersion\": \"v1\",\n  \"items\": ["); err != nil {
		return fmt.Errorf("write objects: %w", err)
	}
	render := func(y *yamlWriter, i int) error {
		m, err := plainObject(objs[i])
		if err != nil {
			return err
		}
		if i > 0 {
			y.b = append(y.b, ',')
		}
		y.b = append(y.b, "\n    "...)
		buf := bytes.NewBuffer(y.b)
		enc := json.NewEncoder(buf)
		enc.SetEscapeHTML(false)
		enc.SetIndent("    ", "  ")
		if err := enc.Encode(m); err != nil {
			return fmt.Errorf("write %s %s/%s: %w", m["kind"], objs[i].GetNamespace(), objs[i].GetName(), err)
		}
		y.b = bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
		return nil
	}
	if err := eachRendered(objs, render, func(b []byte) error { _, err := w.Write(b); return err }); err != nil {
		return err
	}
	end := "\n  ],\n  \"kind\": \"List\"\n}\n"
	if len(objs) == 0 {
		end = "],\n  \"kind\": \"List\"\n}\n"
	}
	if _, err := io.WriteString(w, end); err != nil {
		return fmt.Errorf("write objects: %w", err)
	}
	return nil
}
