"""Tests the two sites in Debian's nginx."""

import re

import pytest

import requests

from installation import browser, commands

LIMITED = "203.0.113."  # addresses of clients that a proxy would name


def statuses(machine, count, address=None, method="GET", path="/healthz"):
    """Sends `count` requests as fast as possible, for a client whose address a proxy names or from the machine
    itself; returns status → number."""
    told = f"-H 'X-Forwarded-For: {address}'" if address else ""
    config = f'url = "http://127.0.0.1:8080{path}"\noutput = "/dev/null"\n' * count
    out = machine.run(
        f"curl -s -K - -w '%{{http_code}}\\n' -X {method} {told}",
        input=config)
    words = out.split()
    return {status: words.count(status) for status in set(words)}


def test_nginx_accepts_its_configuration_without_a_warning(machine):
    done = machine.run("nginx -t 2>&1")
    assert "warn" not in done and "successful" in done


def test_our_files_are_not_readable_by_everybody(machine):
    """Neither the log of visitors nor what PostgreSQL protects."""
    log = "/var/log/nginx/fullstack-agent.log"
    assert machine.run(f"stat -c '%a %G' {log}").strip() == "640 adm"
    machine.run(f"rm {log}; fsa-setup nginx loopback")
    assert machine.run(f"stat -c '%a' {log}").strip() == "640"
    assert machine.run("stat -c '%U %a' /etc/postgresql/15/main/pg_hba.conf").strip() == "postgres 640"


def test_a_client_with_too_many_requests_gets_retry_after(machine):
    """There are so many requests that even a busy machine sends more than the permitted 30 per second."""
    got = statuses(machine, 1500, LIMITED + "1")
    assert got.get("429", 0) > 50 and got.get("200", 0) >= 100, got
    answers = machine.run(f"curl -si -K - -H 'X-Forwarded-For: {LIMITED}1'",
                          input='url = "http://127.0.0.1:8080/healthz"\n' * 500)
    answer = next(a for a in answers.split("HTTP/1.1 ") if a.startswith("429"))
    assert "Retry-After: 5" in answer and '"errorCode":"RATE_LIMITED"' in answer
    # The limit is per client, not shared.
    assert statuses(machine, 1, LIMITED + "2") == {"200": 1}


def test_changes_and_logins_have_lower_limits(machine):
    reads = statuses(machine, 100, LIMITED + "3", path="/api/projects")
    changes = statuses(machine, 100, LIMITED + "4", "POST", "/api/projects")
    logins = statuses(machine, 100, LIMITED + "5", "POST", "/api/auth/login")
    begun = statuses(machine, 100, LIMITED + "6", path="/api/auth/github/login")
    session = statuses(machine, 100, LIMITED + "7", path="/api/auth/session")
    assert reads.get("429", 0) == session.get("429", 0) == 0
    assert begun["429"] >= 40
    assert 10 <= changes["429"] < logins["429"] <= 90


def test_the_page_is_served_with_a_policy(machine):
    answer = machine.run("curl -si http://127.0.0.1:8080/")
    assert " 200 " in answer.splitlines()[0] and "<html" in answer
    assert re.search("^Content-Security-Policy: .*default-src 'self'", answer, flags=re.M), answer


def test_fsa_conf_says_which_sites_may_frame_the_page(machine):
    ask = "curl -si http://127.0.0.1:8080/ | grep -i content-security-policy | grep -F "
    config = "/etc/fullstack-agent/fsa.conf"
    machine.run(f"cp {config} /root/fsa.conf.before")
    try:
        machine.run(f"echo 'public_url = https://agent.example.org' >>{config}; "
                    f"echo 'frame_ancestors = https://desktop.example' >>{config}; fsa-setup nginx")
        # nginx's former workers still answer for a moment.
        machine.wait(ask + "\"frame-ancestors 'self' https://desktop.example;\"")
        machine.wait(ask + "\"connect-src 'self' https://*.\"")
        machine.run(f"echo 'frame_ancestors = https://x;evil' >{config}")
        done = machine.run("fsa-setup nginx", check=False)
        assert done.returncode != 0 and "is not an origin" in done.stderr
    finally:
        machine.run(f"cat /root/fsa.conf.before >{config}; fsa-setup nginx")
    machine.wait(ask + "\"frame-ancestors 'self';\"")


def test_this_machine_itself_is_not_limited(machine):
    assert statuses(machine, 300) == {"200": 300}


def test_a_header_that_names_this_machine_lifts_no_limit(machine):
    assert statuses(machine, 300, "127.0.0.1").keys() == {"200", "429"}


def test_the_address_that_a_server_in_front_tells_is_logged_and_no_query_is(machine):
    machine.run(f"curl -s -H 'X-Forwarded-For: {LIMITED}9' 'http://127.0.0.1:8080/healthz?code=s3cret'")
    # nginx writes the line after its response.
    machine.wait(f"grep '\"client\":\"{LIMITED}9\"' /var/log/nginx/fullstack-agent.log")
    assert "s3cret" not in machine.run("cat /var/log/nginx/*.log")


def test_every_program_counts_and_only_this_machine_reads(machine):
    metrics = machine.run("curl -s http://127.0.0.1:9718/metrics")
    for program in ("api.fcgi", "auth.fcgi", "fsa-events", "fsa-reconcile"):
        assert f'program="{program}"' in metrics
    assert 'fsa_passes_total{program="fsa-reconcile",result="ok"}' in metrics
    assert 'fsa_database_up{program="api.fcgi"} 1' in metrics
    assert "127.0.0.1:9718" in machine.run("ss -Hltn 'sport = :9718'")
    assert machine.run("curl -so /dev/null -w '%{http_code}' http://127.0.0.1:8080/metrics") == "404"
    # Only the programs that count can read the files.
    done = machine.run("runuser -u nobody -- ls /run/fullstack-agent/metrics", check=False)
    assert done.returncode != 0 and "Permission denied" in done.stderr
    assert "metrics are not recorded" not in machine.run("journalctl -o cat")


@pytest.fixture
def tls(machine):
    machine.run("""
        install -d /etc/fullstack-agent/tls; cd /etc/fullstack-agent/tls
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
            -subj /CN=agent.example.org -addext subjectAltName=DNS:agent.example.org \
            -keyout privkey.pem -out fullchain.pem 2>/dev/null""")
    machine.run(commands("installation.md", "TLS")[0])
    yield machine
    machine.run("fsa-setup nginx loopback")
    machine.wait("curl -sf http://127.0.0.1:8080/readyz")


def test_the_site_with_tls(tls):
    ask = ("curl -si --cacert /etc/fullstack-agent/tls/fullchain.pem "
           "--connect-to agent.example.org::127.0.0.1: ")
    answer = tls.wait(ask + "https://agent.example.org/readyz | grep . ")
    assert " 200" in answer.splitlines()[0] and "HTTP/2" in answer.splitlines()[0]
    assert "strict-transport-security: max-age=15552000" in answer
    # nginx's former workers still answer for a moment.
    tls.wait(ask + "'http://agent.example.org/x?y=1' | grep 'Location: https://agent.example.org/x?y=1'")
    assert tls.run(ask + "--tls-max 1.1 https://agent.example.org/", check=False).returncode != 0
    tls.run("install -d /var/lib/fullstack-agent/acme/.well-known/acme-challenge; "
            "echo token >/var/lib/fullstack-agent/acme/.well-known/acme-challenge/x")
    assert "token" in tls.run(ask + "http://agent.example.org/.well-known/acme-challenge/x")


def test_a_site_that_nginx_refuses_changes_nothing(machine):
    machine.run("rm -rf /etc/fullstack-agent/tls")
    done = machine.run("fsa-setup nginx tls", check=False)
    assert done.returncode == 1 and "fullchain.pem is not there" in done.stderr
    assert "sites-available/fullstack-agent.conf" in machine.run(
        "readlink /etc/nginx/sites-enabled/fullstack-agent.conf")
    assert requests.get(browser(machine).url + "/healthz").ok
