package source

type lineIndex struct{}
