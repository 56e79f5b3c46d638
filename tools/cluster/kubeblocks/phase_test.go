package main

import (
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	d := delays{creating: 3 * time.Second, updating: 2 * time.Second, stopping: time.Second}
	up := seen{replicas: 1, pods: 1, ready: 1, current: true, age: time.Minute}
	down := seen{replicas: 0, current: true, age: time.Minute}
	ending := seen{replicas: 0, pods: 1, current: true, age: time.Minute}
	told := func(s seen, p phase) seen { s.phase = p; return s }
	young := func(s seen) seen { s.age = 0; return s }
	stale := func(s seen) seen { s.current = false; return s }
	unready := func(s seen) seen { s.ready = 0; return s }
	forced := func(s seen, p phase) seen { s.forced = p; return s }

	for _, row := range []struct {
		name string
		seen seen
		want phase
	}{
		{"a new one is Creating first, even when its pods are there", up, creating},
		{"Creating for a while", young(told(up, creating)), creating},
		{"Creating until the pods are ready", told(unready(up), creating), creating},
		{"Creating until the StatefulSet has acted", told(stale(up), creating), creating},
		{"then Running", told(up, creating), running},
		{"Running stays", told(up, running), running},
		{"a changed one is Updating", told(stale(up), running), updating},
		{"a lost pod too", told(unready(up), running), updating},
		{"Updating for a while", young(told(up, updating)), updating},
		{"then Running again", told(up, updating), running},
		{"started again: Updating, not Creating", told(up, stopped), updating},
		{"no replicas: Stopping first", told(down, running), stopping},
		{"Stopping for a while", young(told(down, stopping)), stopping},
		{"Stopping while pods are there", told(ending, stopping), stopping},
		{"then Stopped", told(down, stopping), stopped},
		{"Stopped stays", told(down, stopped), stopped},
		{"Failed from Running", forced(told(up, running), failed), failed},
		{"Failed from Creating", forced(told(up, creating), failed), failed},
		{"Failed heals through Updating", told(up, failed), updating},
	} {
		if got, _ := next(row.seen, d); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}
