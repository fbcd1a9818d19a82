//go:build linux

package runtime

import (
	"fmt"
	"os"
	goruntime "runtime"

	"golang.org/x/sys/unix"
)

// onThread calls f on an operating system thread that ends with it. Namespaces
// belong to threads, and a child process gets those of the thread that starts
// it; so f may enter or make namespaces and start processes in them, and
// nothing of it is left in this process.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		goruntime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if unix.Gettid() != os.Getpid() {
			done <- f()
			return
		}
		// The main thread cannot end, and /proc/self is about it. Kept busy
		// here, it leaves f another one.
		defer goruntime.UnlockOSThread()
		done <- onThread(f)
	}()
	return <-done
}

// own opens a namespace of the calling thread.
func own(kind string) (*os.File, error) { return os.Open("/proc/thread-self/ns/" + kind) }

// enter moves the calling thread into a namespace.
func enter(ns *os.File, kind int) error {
	if ns == nil {
		return nil
	}
	if err := unix.Setns(int(ns.Fd()), kind); err != nil {
		return fmt.Errorf("enter %s: %w", ns.Name(), err)
	}
	return nil
}
