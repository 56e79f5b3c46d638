package main

import (
	"context"
	"log"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// poll is how often a deletion looks whether the objects are gone: it watches none of them.
const poll = 300 * time.Millisecond

func hasFinalizer(c *cluster) bool {
	return slices.Contains(c.Finalizers, finalizer)
}

func (k *controller) addFinalizer(ctx context.Context, c *cluster) error {
	return k.setFinalizers(ctx, c, append(c.Finalizers, finalizer))
}

func (k *controller) setFinalizers(ctx context.Context, c *cluster, finalizers []string) error {
	return k.patchCluster(ctx, c, map[string]any{"metadata": map[string]any{
		"finalizers": finalizers,
		// Nobody else's finalizer may be lost in between.
		"resourceVersion": c.ResourceVersion,
	}})
}

// finalize takes a deleted cluster down: the pods, then the claims if the policy says so, then
// the finalizer. The garbage collector takes the Secret and the Service.
func (k *controller) finalize(ctx context.Context, c *cluster) (time.Duration, error) {
	switch {
	case !hasFinalizer(c):
		k.told.forget(c.UID)
		return 0, nil
	case c.Spec.TerminationPolicy == "DoNotTerminate":
		log.Printf("%s/%s: not deleted: terminationPolicy is DoNotTerminate", c.Namespace, c.Name)
		return 0, nil
	}
	if err := k.tell(ctx, c, deleting); err != nil {
		return 0, err
	}
	gone, err := k.removeObjects(ctx, c)
	if err != nil || !gone {
		return poll, err
	}
	// tell may have changed the version: a conflict here is tried again.
	isOurs := func(f string) bool { return f == finalizer }
	return 0, k.setFinalizers(ctx, c, slices.DeleteFunc(slices.Clone(c.Finalizers), isOurs))
}

// removeObjects returns true when nothing is left that the policy does not keep.
func (k *controller) removeObjects(ctx context.Context, c *cluster) (bool, error) {
	list := metav1.ListOptions{LabelSelector: labels.SelectorFromSet(c.labels()).String()}
	everything := metav1.DeleteOptions{PropagationPolicy: ptr(metav1.DeletePropagationBackground)}
	err := k.typed.AppsV1().StatefulSets(c.Namespace).DeleteCollection(ctx, everything, list)
	if err != nil {
		return false, err
	}
	pods, err := k.typed.CoreV1().Pods(c.Namespace).List(ctx, list)
	if err != nil || len(pods.Items) > 0 {
		return false, err
	}
	if c.Spec.TerminationPolicy == "Halt" {
		return true, nil
	}
	claims := k.typed.CoreV1().PersistentVolumeClaims(c.Namespace)
	if err := claims.DeleteCollection(ctx, metav1.DeleteOptions{}, list); err != nil {
		return false, err
	}
	left, err := claims.List(ctx, list)
	return err == nil && len(left.Items) == 0, err
}
