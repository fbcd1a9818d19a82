package ledger

// Claim is what a front end knows of a leaf: the features of a rule that carry
// it. The pipeline settles its status when it is known what became of the
// features; a claim without features has its final status already.
type Claim struct {
	Path     string
	Features []string // of package emit; "guard:…" names a guard kind
	Status   Status
	Message  string
	Remedy   string
}
