package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	appslisters "k8s.io/client-go/listers/apps/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

const fieldManager = "kubeblocks"

// controller brings Clusters and their objects to what the Clusters say, one key at a time a
// worker, again and again until nothing differs.
type controller struct {
	typed      kubernetes.Interface
	dynamic    dynamic.Interface
	clusters   cache.GenericLister
	sets       appslisters.StatefulSetLister
	queue      workqueue.TypedRateLimitingInterface[types.NamespacedName]
	reactAfter time.Duration
	delays     delays
	image      string // of the databases' pods; empty: one that does not exist
	told       ages
}

// ages remembers since when a cluster's phase is told. A restart starts the delays anew.
type ages struct {
	mutex sync.Mutex
	since map[types.UID]told
}

type told struct {
	phase phase
	since time.Time
}

func (a *ages) age(uid types.UID, p phase) time.Duration {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.since[uid].phase != p {
		a.since[uid] = told{p, time.Now()}
	}
	return time.Since(a.since[uid].since)
}

func (a *ages) forget(uid types.UID) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	delete(a.since, uid)
}

func newController(typed kubernetes.Interface, dyn dynamic.Interface, o options) *controller {
	return &controller{
		typed:   typed,
		dynamic: dyn,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.DefaultTypedControllerRateLimiter[types.NamespacedName]()),
		reactAfter: o.reactAfter,
		delays:     o.delays,
		image:      o.image,
		told:       ages{since: map[types.UID]told{}},
	}
}

// run returns when ctx is done.
func (k *controller) run(ctx context.Context, workers int) error {
	if err := k.watch(ctx); err != nil {
		return err
	}
	for range workers {
		go k.work(ctx)
	}
	<-ctx.Done()
	k.queue.ShutDown()
	return nil
}

func (k *controller) watch(ctx context.Context) error {
	clusters := dynamicinformer.NewDynamicSharedInformerFactory(k.dynamic, 0)
	sets := informers.NewSharedInformerFactoryWithOptions(k.typed, 0,
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.LabelSelector = "app.kubernetes.io/managed-by=kubeblocks"
		}))
	clusterInformer := clusters.ForResource(clusterResource)
	setInformer := sets.Apps().V1().StatefulSets()
	k.clusters, k.sets = clusterInformer.Lister(), setInformer.Lister()
	_, err := clusterInformer.Informer().AddEventHandler(k.onChange(metav1.Object.GetName))
	if err == nil {
		_, err = setInformer.Informer().AddEventHandler(k.onChange(instanceOf))
	}
	if err != nil {
		return err
	}
	clusters.Start(ctx.Done())
	sets.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(),
		clusterInformer.Informer().HasSynced, setInformer.Informer().HasSynced) {
		return errors.New("the caches did not fill")
	}
	log.Print(ready)
	return nil
}

// ready is logged once everything is watched; the stand waits for it.
const ready = "watching clusters"

func instanceOf(object metav1.Object) string {
	return object.GetLabels()["app.kubernetes.io/instance"]
}

// onChange queues the cluster whose name is that of the changed object, or in its labels. The
// delay is what makes a status lag behind a spec for a moment, as it does in a busy cluster.
func (k *controller) onChange(name func(metav1.Object) string) cache.ResourceEventHandler {
	add := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		o := object.(metav1.Object)
		key := types.NamespacedName{Namespace: o.GetNamespace(), Name: name(o)}
		k.queue.AddAfter(key, k.reactAfter)
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    add,
		UpdateFunc: func(_, object any) { add(object) },
		DeleteFunc: add,
	}
}

func (k *controller) work(ctx context.Context) {
	for {
		key, quit := k.queue.Get()
		if quit {
			return
		}
		k.handle(ctx, key)
		k.queue.Done(key)
	}
}

func (k *controller) handle(ctx context.Context, key types.NamespacedName) {
	wait, err := k.reconcile(ctx, key)
	switch {
	case err != nil:
		log.Printf("%s: %v", key, err)
		k.queue.AddRateLimited(key)
	case wait > 0:
		k.queue.AddAfter(key, wait)
	default:
		k.queue.Forget(key)
	}
}

// reconcile does what is due now and returns after what time to look again, or 0.
func (k *controller) reconcile(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	object, err := k.clusters.ByNamespace(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	c, err := parseCluster(object)
	if err != nil {
		return 0, err
	}
	switch {
	case c.DeletionTimestamp != nil:
		return k.finalize(ctx, c)
	case !hasFinalizer(c):
		return 0, k.addFinalizer(ctx, c) // the change of it brings the cluster here again
	default:
		return k.bringUp(ctx, c)
	}
}

// bringUp makes the objects and tells the phase. The credentials are there before any phase is.
func (k *controller) bringUp(ctx context.Context, c *cluster) (time.Duration, error) {
	if err := k.applyObjects(ctx, c); err != nil {
		return 0, err
	}
	s, err := k.look(c)
	if err != nil {
		return 0, err
	}
	phase, wait := next(s, k.delays)
	return wait, k.tell(ctx, c, phase)
}

func (k *controller) look(c *cluster) (seen, error) {
	sets, err := k.sets.StatefulSets(c.Namespace).List(labels.SelectorFromSet(c.labels()))
	if err != nil {
		return seen{}, err
	}
	s := seen{
		phase:    c.Status.Phase,
		age:      k.told.age(c.UID, c.Status.Phase),
		replicas: c.replicas(),
		current:  len(sets) == len(c.Spec.ComponentSpecs),
		forced:   phase(c.Annotations[phaseAnnotation]),
	}
	for _, set := range sets {
		s.pods += set.Status.Replicas
		s.ready += set.Status.ReadyReplicas
		s.current = s.current && isCurrent(c, set)
	}
	return s, nil
}

// isCurrent says whether the StatefulSet has the cluster's newest wish (the cache may lag behind
// what was just applied) and its controller has acted on it.
func isCurrent(c *cluster, set *appsv1.StatefulSet) bool {
	return set.Annotations[generationAnnotation] == fmt.Sprint(c.Generation) &&
		set.Status.ObservedGeneration == set.Generation &&
		set.Status.UpdateRevision == set.Status.CurrentRevision
}

// tell writes the status when it changes.
func (k *controller) tell(ctx context.Context, c *cluster, p phase) error {
	if p == c.Status.Phase && c.Generation == c.Status.ObservedGeneration {
		return nil
	}
	status := clusterStatus{ObservedGeneration: c.Generation, Phase: p}
	status.Components = map[string]componentStatus{}
	for _, component := range c.Spec.ComponentSpecs {
		status.Components[component.Name] = componentStatus{Phase: p, PodsReady: p == running}
	}
	log.Printf("%s/%s: %q, generation %d", c.Namespace, c.Name, p, c.Generation)
	return k.patchCluster(ctx, c, map[string]any{"status": status}, "status")
}

func (k *controller) patchCluster(ctx context.Context, c *cluster, change any, sub ...string) error {
	data, err := json.Marshal(change)
	if err != nil {
		return err
	}
	_, err = k.dynamic.Resource(clusterResource).Namespace(c.Namespace).Patch(ctx, c.Name,
		types.MergePatchType, data, metav1.PatchOptions{FieldManager: fieldManager}, sub...)
	return err
}
