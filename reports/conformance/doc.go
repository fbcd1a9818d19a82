// Package conformance reads conformance reports of the Gateway API, as its
// project publishes them and as a run of Causeway leaves them, and renders
// them for people: on a terminal, as Markdown, as a page. It judges a report by
// the rules of the place it is sent to. It runs nothing and changes no report:
// an official report is sent exactly as the suite wrote it.
package conformance
