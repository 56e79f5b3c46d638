"""Tests which requests a start sends to the API server."""

SITE_OPTIONS = {"resync": "1h"}  # no other requests are made


def reads(kubesim):
    """Returns the requests that changed nothing, by verb and type, without those of the kubeconfig's check."""
    return {key: count for key, count in kubesim.counters()["by"].items()
            if key.split()[0] in ("get", "list", "watch") and "namespaces" not in key}


def test_a_start_reads_four_times(kubesim, person):
    kubesim.order("DELETE", "/counters")
    person.create("Shop").wait("RUNNING")
    assert sum(reads(kubesim).values()) <= 4, reads(kubesim)
