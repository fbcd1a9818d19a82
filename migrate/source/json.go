package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/causeway-gateway/causeway/migrate/ledger"
)

// parseJSON reads one JSON object, with lines and with kubectl's numbers
// (int64 where they fit).
func parseJSON(c *chunk) (*tree, *faultAt) {
	p := &jsonParser{dec: json.NewDecoder(bytes.NewReader(c.text)), text: c.text, line: c.line}
	p.dec.UseNumber()
	v, err := p.next(0)
	if err == nil {
		if _, err = p.dec.Token(); errors.Is(err, io.EOF) {
			return &tree{root: v, line: c.line, nodes: p.nodes}, nil
		}
		err = errors.New("text after the end of the object")
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the object is not closed")
	}
	return nil, &faultAt{line: p.here(), err: fmt.Errorf("not valid JSON: %w", err)}
}

type jsonParser struct {
	dec     *json.Decoder
	text    []byte
	counted int
	line    int
	nodes   ledger.Nodes
}

// here returns the line of the last token.
func (p *jsonParser) here() int {
	to := int(p.dec.InputOffset())
	if to > p.counted {
		p.line += bytes.Count(p.text[p.counted:to], []byte("\n"))
		p.counted = to
	}
	return p.line
}

func (p *jsonParser) next(depth int) (any, error) {
	tok, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	return p.value(tok, depth)
}

// value reads the value that starts with tok; null is a nil token.
func (p *jsonParser) value(tok json.Token, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("values are nested more than %d levels deep", maxDepth)
	}
	switch t := tok.(type) {
	case json.Delim:
		if t == '{' {
			return p.object(depth)
		}
		return p.array(depth)
	case json.Number:
		if i, err := t.Int64(); err == nil {
			return i, nil
		}
		f, err := t.Float64()
		if err != nil {
			return nil, errors.New("a number is out of range")
		}
		return f, nil
	}
	return tok, nil
}

func (p *jsonParser) object(depth int) (any, error) {
	out := map[string]any{}
	for p.dec.More() {
		tok, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		key, ok := tok.(string)
		if !ok {
			return nil, errors.New("a key is not a string")
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("the key %q is set twice", key)
		}
		at := p.nodes.Field(key, p.here())
		if out[key], err = p.next(depth + 1); err != nil {
			return nil, err
		}
		p.nodes.End(at)
	}
	_, err := p.dec.Token()
	return out, err
}

func (p *jsonParser) array(depth int) (any, error) {
	out := []any{}
	for p.dec.More() {
		tok, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		at := p.nodes.Item(p.here())
		v, err := p.value(tok, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		p.nodes.End(at)
	}
	_, err := p.dec.Token()
	return out, err
}
