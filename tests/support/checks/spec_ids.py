"""The numbered requirements of specifications, so that none can be forgotten unnoticed.

Owns: the numbers. `docs/reference/protocol.md` has the text of each requirement, or the reason why
it does not apply.
"""

from typing import Final

WALKED: Final = """
FC-A01 to FC-A12
FC-01 to FC-66
CB-001 to CB-016, CB-020 to CB-035, CB-040 to CB-078, CB-090 to CB-105, CB-110 to CB-116, CB-120
to CB-147, CB-150 to CB-154, CB-160 to CB-176, CB-180 to CB-190, CB-200 to CB-205
TX-001 to TX-017, TX-020 to TX-040, TX-050 to TX-057, TX-060 to TX-064, TX-070 to TX-078, TX-080
to TX-088
AT-01 to AT-32
RI-01 to RI-14
DG-01 to DG-31
IN-01 to IN-21
RV-01 to RV-15
MD-01 to MD-16
DP-01 to DP-23, DP-30 to DP-37, DP-40 to DP-44, DP-50 to DP-55
JB-01 to JB-22, JB-30 to JB-42
RA-01 to RA-20
DC-01 to DC-12, DC-20 to DC-25
CI-01 to CI-13
PR-01 to PR-09
SU-01 to SU-04
BC-01 to BC-17
MC-01 to MC-18
ID-01 to ID-10, ID-20 to ID-28, ID-40 to ID-44
TT-01 to TT-09
OB-01 to OB-04
XD-01 to XD-08
WP-01 to WP-15
CL-01 to CL-20, CL-30 to CL-36
NG-001 to NG-016, NG-020 to NG-029, NG-040 to NG-056, NG-060 to NG-072, NG-080 to NG-093, NG-100
to NG-109
"""
"""FC are the modules and common checks of the FAPI-CIBA plan. The page explains the other kinds."""
