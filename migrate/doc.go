// Package migrate is the pipeline of a migration: it takes what was read,
// compiles it with the front ends, emits Gateway API objects, validates them,
// and settles the ledger. It owns the order of these steps and how the notes
// of the parts become one account; it reads no files and writes none.
package migrate
