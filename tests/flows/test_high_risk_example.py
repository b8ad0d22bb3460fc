"""The high-risk example in the documentation works, from installation to one payment."""

import subprocess
import sys

import pytest

from tests.support.checks.source import ROOT


@pytest.mark.timeout(300)
def test_the_high_risk_example_pays_once(tmp_path):
    """The bank refuses a different amount and a second payment, and pays the approved one once."""
    result = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "high_risk" / "dance.py")],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    printed_lines = [
        line for line in result.stdout.splitlines() if line.startswith(("POST", "ana sees"))
    ]
    shown_lines = [" ".join(line.split()).split(", fingerprint")[0] for line in printed_lines]
    assert shown_lines == [
        "POST /bc-authorize 200",
        "ana sees LOW: Use desk:use at https://desk.example",
        "POST /token 200, the person approved",
        "POST /token 400 interaction_required",
        "POST /bc-authorize 200",
        "ana sees HIGH: Pay EUR 4,820.00 to Nordwind Logistik GmbH",
        "POST /token 200, the person approved",
        "POST /pay 403 a different amount: not_granted",
        "POST /pay 200 what ana approved: paid",
        "POST /pay 409 the same again: already_consumed",
    ]
    assert result.stdout.endswith("Paid once: Nordwind Logistik GmbH.\n")
