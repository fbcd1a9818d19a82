package archive

import (
	"debug/elf"
	"fmt"
	"runtime"
)

// machines are the processors that Go names by GOARCH.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// static says why a program would not start in an image of its own, if so.
func static(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("%s is not a program for Linux: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	if want, ok := machines[runtime.GOARCH]; ok && f.Machine != want {
		return fmt.Errorf("%s is a program for %v and not for %s: build it with GOARCH=%[3]s", path, f.Machine, runtime.GOARCH)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs libraries, which its image would not have: link it statically, with Go by CGO_ENABLED=0", path)
		}
	}
	return nil
}
