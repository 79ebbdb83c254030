// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package limit

// Shares divides a number of places among those that want them, so that none, nor many together, can
// take what the others need: whoever has places may take a further one only as long as enough are free.
// An eighth is left to those that have none. It is not safe for concurrent use.
type Shares[K comparable] struct {
	size, free int
	taken      map[K]int
}

// NewShares returns so many places, at least one.
func NewShares[K comparable](size int) *Shares[K] {
	size = max(1, size)
	return &Shares[K]{size: size, free: size, taken: map[K]int{}}
}

// Take takes so many places at once, but no more than half of all. Some are left free if leave is set.
// It reports whether it did; only then they must be given back.
func (s *Shares[K]) Take(of K, places, leave int) bool {
	places = s.bounded(places)
	if taken := s.taken[of]; taken > 0 {
		leave += max(1, s.size/8)
		// Dynamic thresholds: at most twice what is left to the others.
		if taken+places > 2*(s.free-leave) {
			return false
		}
	}
	if places > s.free-leave {
		return false
	}
	s.taken[of] += places
	s.free -= places
	return true
}

// Give gives places back that were taken at once.
func (s *Shares[K]) Give(of K, places int) {
	places = s.bounded(places)
	s.free += places
	if s.taken[of] -= places; s.taken[of] <= 0 {
		delete(s.taken, of)
	}
}

// Taken returns how many places somebody has.
func (s *Shares[K]) Taken(by K) int { return s.taken[by] }

func (s *Shares[K]) bounded(places int) int { return min(places, max(1, s.size/2)) }
