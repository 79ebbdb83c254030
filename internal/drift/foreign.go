// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package drift

// Foreign is what an Import may not show of a remote import, because it belongs to somebody else.
type Foreign struct {
	// Secrets are JSON pointers of values that others have, or had until recently, from Secrets and
	// ConfigMaps.
	Secrets []string
	// Values: no value of the remote import is shown.
	Values bool
}

// RedactForeign returns differences without what belongs to somebody else. The texts of the secrets
// are those that the remote import has at their paths: nobody reads another one's Secret for it.
func RedactForeign(found []Difference, remote map[string]any, foreign Foreign) []Difference {
	shown := Redact(found, remote, foreign.Secrets)
	if !foreign.Values {
		return shown
	}
	all := make([]Difference, len(shown))
	for i, difference := range shown {
		difference.Remote = redacted(difference.Remote)
		all[i] = difference
	}
	return all
}
