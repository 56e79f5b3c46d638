// Kubeblocks plays the KubeBlocks operator for tests: it keeps what a client of a PostgreSQL
// Cluster (apps.kubeblocks.io/v1alpha1, release 0.8) can see — the order of the phases, the
// credentials Secret, the finalizer, what becomes of the volumes — and runs no database, unless it is given an image of one.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

type options struct {
	kubeconfig string
	reactAfter time.Duration
	delays     delays
	image      string
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of a cluster administrator")
	flag.DurationVar(&o.reactAfter, "react-after", 100*time.Millisecond,
		"how long a status lags behind a change")
	flag.DurationVar(&o.delays.creating, "creating", time.Second, "least time in Creating")
	flag.DurationVar(&o.delays.updating, "updating", time.Second, "least time in Updating")
	flag.DurationVar(&o.delays.stopping, "stopping", time.Second, "least time in Stopping")
	flag.StringVar(&o.image, "image", "",
		"what the databases' pods run: an image that takes POSTGRES_PASSWORD")
	flag.Parse()
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

func run(o options) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 500, 1000
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	return newController(typed, dyn, o).run(ctx, 8)
}
