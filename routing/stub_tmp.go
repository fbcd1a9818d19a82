package routing

type hostIndex struct{}

func expandGroups(value string, groups []string) string { return value }
