package main

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// generationAnnotation on a StatefulSet: the cluster's generation that it was applied for.
const generationAnnotation = "kubeblocks.io/generation"

func (k *controller) applyObjects(ctx context.Context, c *cluster) error {
	if err := k.createCredentials(ctx, c); err != nil {
		return err
	}
	if err := k.applyService(ctx, c); err != nil {
		return err
	}
	for i := range c.Spec.ComponentSpecs {
		if err := k.applyStatefulSet(ctx, c, &c.Spec.ComponentSpecs[i]); err != nil {
			return err
		}
	}
	return nil
}

// createCredentials never changes a Secret that is there: the password stays for good.
func (k *controller) createCredentials(ctx context.Context, c *cluster) error {
	secrets := k.typed.CoreV1().Secrets(c.Namespace)
	_, err := secrets.Get(ctx, credentialsName(c), metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return err
	}
	secret, err := credentials(c)
	if err != nil {
		return err
	}
	_, err = secrets.Create(ctx, secret, metav1.CreateOptions{FieldManager: fieldManager})
	return err
}

func (k *controller) applyService(ctx context.Context, c *cluster) error {
	object := service(c)
	object.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}
	data, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = k.typed.CoreV1().Services(c.Namespace).Patch(ctx, object.Name,
		types.ApplyPatchType, data, applyOptions())
	return err
}

func (k *controller) applyStatefulSet(ctx context.Context, c *cluster, part *component) error {
	object := statefulSet(c, part, k.image)
	object.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"}
	object.Annotations = map[string]string{generationAnnotation: fmt.Sprint(c.Generation)}
	data, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = k.typed.AppsV1().StatefulSets(c.Namespace).Patch(ctx, object.Name,
		types.ApplyPatchType, data, applyOptions())
	return err
}

func applyOptions() metav1.PatchOptions {
	return metav1.PatchOptions{FieldManager: fieldManager, Force: ptr(true)}
}
