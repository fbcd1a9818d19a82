package run

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// The JUnit form that CI systems read, with flakyFailure as Maven Surefire
// writes it (https://maven.apache.org/surefire/maven-surefire-plugin/xsd/surefire-test-report.xsd).
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Name    string       `xml:"name,attr"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name      string         `xml:"name,attr"`
		ClassName string         `xml:"classname,attr"`
		Time      string         `xml:"time,attr"`
		Skipped   *junitProblem  `xml:"skipped"`
		Failure   *junitProblem  `xml:"failure"`
		Error     *junitProblem  `xml:"error"`
		Flaky     []junitProblem `xml:"flakyFailure"`
		Output    string         `xml:"system-out,omitempty"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// wholeRun is the case that stands for what is no test: an implementation that
// never became ready, a suite that crashed.
const wholeRun = "(the run as a whole)"

// junit renders the results. A test's class is the first profile that counts it.
func (r *Results) junit() ([]byte, error) {
	s := junitSuite{
		Name: "Gateway API conformance " + r.Suite, Time: seconds(r.Seconds), Timestamp: r.Started.UTC().Format(time.RFC3339),
		Properties: []junitProperty{
			{"implementation", r.Implementation.Name},
			{"implementation.version", r.Implementation.Version},
			{"cluster", r.Cluster},
			{"profiles", strings.Join(r.Profiles, ",")},
			{"status", string(r.Status)},
		},
	}
	for _, t := range r.Tests {
		c := junitCase{Name: t.Name, ClassName: class(t), Time: seconds(t.Seconds)}
		switch t.Outcome {
		case Skipped:
			c.Skipped = &junitProblem{Message: t.Reason}
			s.Skipped++
		case KnownFailure:
			c.Skipped = &junitProblem{Message: firstLine(t.Reason)}
			s.Skipped++
		case NotRun:
			c.Skipped = &junitProblem{Message: "its turn never came: " + r.Verdict}
			s.Skipped++
		case Failed:
			c.Failure = &junitProblem{Message: gist(t.Reason), Text: t.Reason}
			s.Failures++
		case Flaky:
			for _, a := range t.Attempts {
				if a.Outcome == Failed {
					c.Flaky = append(c.Flaky, junitProblem{Message: gist(a.Reason), Text: a.Reason})
				}
			}
		}
		for _, a := range t.Attempts {
			if a.Outcome == Failed {
				c.Output += fmt.Sprintf("attempt %d: log %s, artifacts %s\n", a.Attempt, a.Log, orNone(a.Artifacts))
			}
		}
		s.Cases = append(s.Cases, c)
	}
	if s.Failures == 0 && r.Status != StatusPassed && r.Status != StatusRunning {
		s.Cases = append(s.Cases, junitCase{
			Name: wholeRun, ClassName: "causeway", Time: seconds(0),
			Error: &junitProblem{Message: r.Verdict, Type: string(r.Status)},
		})
		s.Errors++
	}
	s.Tests = len(s.Cases)
	out, err := xml.MarshalIndent(junitSuites{Name: s.Name, Suites: []junitSuite{s}}, "", "  ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(out, '\n')...), nil
}

func class(t TestResult) string {
	if len(t.Profiles) == 0 {
		return "no-profile"
	}
	return t.Profiles[0].Profile + "." + t.Profiles[0].Level
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }

func orNone(path string) string {
	if path == "" {
		return "(none)"
	}
	return path
}
