package source

import "bytes"

// chunk is the text of one document.
type chunk struct {
	file string
	text []byte // a part of the file's content, not a copy
	line int    // of the first byte, 1-based
	json bool
	// positions are unknown when the text was rendered, not read.
	rendered bool
}

// splitDocuments cuts content at lines that start with the document markers
// "---" and "...". The markers count only in column 0: there they end a
// document even inside block scalars and quoted text
// (https://yaml.org/spec/1.1/#id898785, c-forbidden), and indented ones are
// text. Documents of comments alone are left out.
func splitDocuments(file string, content []byte) []chunk {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	var out []chunk
	start, startLine := 0, 1
	flush := func(end int) {
		if text := content[start:end]; !blank(text) {
			out = append(out, splitJSON(chunk{file: file, text: text, line: startLine})...)
		}
	}
	line := 1
	for at := 0; at < len(content); line++ {
		next := len(content)
		if i := bytes.IndexByte(content[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		if row := content[at:next]; len(row) >= 3 && (row[0] == '-' || row[0] == '.') {
			switch markerOf(row) {
			case '-':
				flush(at)
				start, startLine = at, line
				if blank(row[3:]) {
					start, startLine = next, line+1
				}
			case '.':
				flush(at)
				start, startLine = next, line+1
			}
		}
		at = next
	}
	flush(len(content))
	return out
}

// markerOf returns '-' or '.' when the line is a document marker.
func markerOf(line []byte) byte {
	c := line[0]
	if line[1] != c || line[2] != c {
		return 0
	}
	if len(line) > 3 {
		switch line[3] {
		case ' ', '\t', '\r', '\n':
		default:
			return 0
		}
	}
	return c
}

// blank reports whether text holds only spaces, comments and directives.
func blank(text []byte) bool {
	for len(text) > 0 {
		var row []byte
		row, text, _ = bytes.Cut(text, []byte("\n"))
		directive := len(row) > 0 && row[0] == '%'
		row = bytes.TrimSpace(row)
		if len(row) > 0 && row[0] != '#' && !directive {
			return false
		}
	}
	return true
}

// splitJSON cuts concatenated JSON objects apart, as kubectl reads them. What
// starts like flow YAML stays whole.
func splitJSON(c chunk) []chunk {
	at := skipSpace(c.text, 0)
	if at == len(c.text) || c.text[at] != '{' {
		return []chunk{c}
	}
	if in := skipSpace(c.text, at+1); in < len(c.text) && c.text[in] != '"' && c.text[in] != '}' {
		return []chunk{c}
	}
	var out []chunk
	line, counted := c.line, 0
	for at < len(c.text) {
		line += bytes.Count(c.text[counted:at], []byte("\n"))
		counted = at
		end := len(c.text)
		if c.text[at] == '{' {
			end = endOfObject(c.text, at)
		}
		out = append(out, chunk{file: c.file, text: c.text[at:end], line: line, json: true})
		at = skipSpace(c.text, end)
	}
	return out
}

func skipSpace(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n') {
		at++
	}
	return at
}

// endOfObject returns the index after the brace that closes the one at start,
// or the end of the text.
func endOfObject(text []byte, start int) int {
	depth, quoted := 0, false
	for i := start; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}
