"""What a start asks of the API server."""

SITE_OPTIONS = {"resync": "1h"}  # nothing else is asked of it meanwhile


def reads(kubesim):
    """Requests that changed nothing, by verb and type; without the check of the kubeconfig."""
    return {key: count for key, count in kubesim.counters()["by"].items()
            if key.split()[0] in ("get", "list", "watch") and "namespaces" not in key}


def test_a_start_reads_four_times(kubesim, person):
    kubesim.order("DELETE", "/counters")
    person.create("Shop").wait("RUNNING")
    assert sum(reads(kubesim).values()) <= 4, reads(kubesim)
