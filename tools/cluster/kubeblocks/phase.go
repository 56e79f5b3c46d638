package main

import "time"

// seen is what the next phase follows from.
type seen struct {
	phase    phase         // told so far
	age      time.Duration // since that phase was told first
	replicas int32         // wanted
	pods     int32         // that exist
	ready    int32         // of those
	current  bool          // the StatefulSets have acted on their newest spec
	forced   phase         // what a test wants to be told, or none
}

// delays are the least times for which a phase is told, however quick the pods are.
type delays struct {
	creating time.Duration
	updating time.Duration
	stopping time.Duration
}

// next returns the phase to tell and, when it only waits for a delay, how long. It follows
// KubeBlocks 0.8: only a cluster that has never run is Creating, one that is started again is
// Updating, and Failed heals by itself.
func next(s seen, d delays) (phase, time.Duration) {
	switch {
	case s.forced != none:
		return s.forced, 0
	case s.replicas == 0:
		return settle(s, stopping, stopped, d.stopping)
	case s.phase == none || s.phase == creating:
		return settle(s, creating, running, d.creating)
	default:
		return settle(s, updating, running, d.updating)
	}
}

// settle tells the final phase once it is reached, and not before the transient one has been told
// for its least time.
func settle(s seen, transient, final phase, least time.Duration) (phase, time.Duration) {
	reached := s.current && s.pods == s.replicas && s.ready == s.replicas
	switch {
	case reached && s.phase == final:
		return final, 0
	case !reached:
		return transient, 0
	case s.phase != transient:
		return transient, least
	case s.age < least:
		return transient, least - s.age
	default:
		return final, 0
	}
}
