//go:build browser

package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// TestPageInBrowser opens the HTML report of the sample shop in a headless
// Chromium: its totals are those of the ledger, the filters filter, a source
// stands beside what became of it, and the page asks for nothing but itself.
func TestPageInBrowser(t *testing.T) {
	dir := t.TempDir()
	page, machine := filepath.Join(dir, "report.html"), filepath.Join(dir, "report.json")
	if code, _, errOut := run(t, "causeway", "migrate", "-R", "-f", "../fixtures/shop", "--report", page, "--report", machine); code != ExitDone {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	var report struct{ Summary map[string]any }
	text, err := os.ReadFile(machine)
	if err == nil {
		err = json.Unmarshal(text, &report)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, asked := browser(t, 1280)
	address := (&url.URL{Scheme: "file", Path: page}).String()
	var totals map[string]int
	if err := chromedp.Run(ctx, chromedp.Navigate(address), chromedp.Evaluate(
		`Object.fromEntries([...document.querySelectorAll('.card')].map(c => [c.querySelector('span').textContent, +c.querySelector('b').textContent]))`, &totals)); err != nil {
		t.Fatal(err)
	}
	for _, status := range []string{"converted", "approximated", "extension", "unsupported", "ignored"} {
		if want := fmt.Sprint(report.Summary[status]); fmt.Sprint(totals[status]) != want || totals[status] == 0 {
			t.Errorf("%s: the page says %d, the ledger %s", status, totals[status], want)
		}
	}

	visible := func(status string) (n int) {
		t.Helper()
		if err := chromedp.Run(ctx, chromedp.Evaluate(fmt.Sprintf(`[...document.querySelectorAll('.entry[data-status=%s]')].filter(e => e.offsetParent).length`, status), &n)); err != nil {
			t.Fatal(err)
		}
		return n
	}
	click := func(status string) {
		t.Helper()
		if err := chromedp.Run(ctx, chromedp.Click(`input[name=status][value=`+status+`]`)); err != nil {
			t.Fatal(err)
		}
	}
	if visible("converted") == 0 || visible("extension") == 0 {
		t.Fatal("entries are not visible at first")
	}
	click("converted")
	if visible("converted") != 0 || visible("extension") == 0 {
		t.Error("unticking a status does not hide its entries alone")
	}
	click("converted")
	if visible("converted") == 0 {
		t.Error("ticking the status again does not show its entries")
	}
	var objects int
	if err := chromedp.Run(ctx, chromedp.SendKeys("#search", "payments/webhooks"),
		chromedp.Evaluate(`[...document.querySelectorAll('details.object')].filter(o => !o.hidden).length`, &objects)); err != nil {
		t.Fatal(err)
	}
	if objects != 1 {
		t.Errorf("searching one object shows %d", objects)
	}
	besides(t, ctx)
	verified(t, ctx)

	for _, width := range []int64{1280, 480} {
		var overflow int
		if err := chromedp.Run(ctx, chromedp.EmulateViewport(width, 900), chromedp.Evaluate(`document.documentElement.scrollWidth - document.documentElement.clientWidth`, &overflow)); err != nil {
			t.Fatal(err)
		}
		if overflow > 0 {
			t.Errorf("at %d pixels the page is %d pixels too wide", width, overflow)
		}
	}
	for _, u := range asked() {
		if u != address && !strings.HasPrefix(u, "data:") {
			t.Errorf("the page asks for %s", u)
		}
	}
}

// verified holds the section of the verification: its sentence, and an example
// that opens with the request and both answers.
func verified(t *testing.T, ctx context.Context) {
	t.Helper()
	var text, curl string
	if err := chromedp.Run(ctx, chromedp.Evaluate(`document.querySelector('#verification > p').textContent`, &text),
		chromedp.Click(`#verification details summary`, chromedp.NodeVisible),
		chromedp.Evaluate(`(c => c.offsetParent ? c.textContent : '')(document.querySelector('#verification details[open] .curl'))`, &curl)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "no unexpected difference") || !strings.HasPrefix(curl, "curl -i") {
		t.Errorf("the page says %q, and for example %q", text, curl)
	}
}

// besides holds the source of the object that is shown to stand left of what
// was written for it, at the same height.
func besides(t *testing.T, ctx context.Context) {
	t.Helper()
	var sides []struct {
		X, Y float64
		Text string
	}
	if err := chromedp.Run(ctx, chromedp.Evaluate(`(() => {
		document.querySelector('details.object:not([hidden])').scrollIntoView();
		return [...document.querySelectorAll('details.object:not([hidden]) .sides > div')].map(d => ({X: d.getBoundingClientRect().x, Y: d.getBoundingClientRect().y, Text: d.textContent}));
	})()`, &sides)); err != nil {
		t.Fatal(err)
	}
	if len(sides) != 2 {
		t.Fatalf("%d sides", len(sides))
	}
	if sides[0].X >= sides[1].X || sides[0].Y != sides[1].Y {
		t.Errorf("the sides stand at %v,%v and %v,%v", sides[0].X, sides[0].Y, sides[1].X, sides[1].Y)
	}
	if !strings.Contains(sides[0].Text, "kind: Ingress") || !strings.Contains(sides[1].Text, "kind: HTTPRoute") {
		t.Errorf("left %q, right %q", sides[0].Text, sides[1].Text)
	}
}

// browser starts Chromium; what it asks for is collected, and a message on its
// console fails the test.
func browser(t *testing.T, width int) (ctx context.Context, asked func() []string) {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path == "" {
			path, _ = exec.LookPath(name)
		}
	}
	if path == "" {
		t.Fatal("no Chromium found: install it (apt-get install chromium) or name it in CHROMIUM")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(width, 900), chromedp.WSURLReadTimeout(time.Minute))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stopTab := chromedp.NewContext(ctx)
	t.Cleanup(stopTab)
	ctx, stopTime := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stopTime)
	var (
		mu   sync.Mutex
		urls []string
	)
	chromedp.ListenTarget(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			urls = append(urls, e.Request.URL)
		case *runtime.EventExceptionThrown:
			t.Errorf("the page throws: %s", e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			t.Errorf("the page writes to the console: %s", e.Type)
		}
	})
	if err := chromedp.Run(ctx, network.Enable()); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), urls...)
	}
}
