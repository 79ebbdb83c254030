// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package document

// Mask is what the API shows in the place of a secret.
const Mask = "******"

// Shown returns a document as the API answers it: a copy with secrets masked.
func Shown(doc Document) Document {
	out := Copy(doc)
	if secret, ok := out["encrypted"]; ok {
		out["encrypted"] = masked(secret)
	}
	return out
}

func masked(value any) any {
	switch v := value.(type) {
	case Document:
		out := make(Document, len(v))
		for key, child := range v {
			out[key] = masked(child)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = masked(v[i])
		}
		return out
	case nil:
		return nil
	default:
		return Mask
	}
}

// Unmask puts stored secrets back where a body holds the Mask.
func Unmask(sent, stored any) any {
	switch v := sent.(type) {
	case string:
		if v == Mask && stored != nil {
			return stored
		}
	case Document:
		old, _ := stored.(Document)
		for key, child := range v {
			v[key] = Unmask(child, old[key])
		}
	case []any:
		if old, _ := stored.([]any); len(old) == len(v) {
			for i := range v {
				v[i] = Unmask(v[i], old[i])
			}
		}
	}
	return sent
}
