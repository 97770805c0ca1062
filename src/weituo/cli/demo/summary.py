"""The summary: one row a stage of the process, every figure computed from rows that stand in the database."""

from __future__ import annotations

from typing import Any, Final

from weituo.cli.demo import summary_rows
from weituo.cli.demo.scene import CURRENCY, PEOPLE
from weituo.cli.demo.story import Story
from weituo.foundation.identity import enrolment

NAMES: Final = (
    "Business case", "Screening partners", "Collection plan", "Many strategies", "Placement", "Information sharing",
    "Progress tracking", "Result evaluation", "Legal risk", "Customer relationship", "Information security", "Data and AI",
    "Many agencies, long term", "Cost and flexibility",
)  # fmt: skip
NAMES_ZH: Final = (
    "必要性", "筛选合作伙伴", "制定催收计划", "多元化策略", "委案分配", "信息共享", "进展跟踪", "结果评估", "法律风险", "客户关系",
    "信息安全", "技术驱动", "长期合作", "成本与灵活",
)  # fmt: skip
WIDTH: Final = 24


def gather(story: Story) -> dict[str, Any]:
    """Compute the summary: `stages` (14 rows with `happened` and `figures`), `sign_in`, `scene`."""
    ground = summary_rows.ground(on=story.scene.at(week=story.scene.weeks, hour=12).date())
    rows = [
        {"stage": number, "name": NAMES[number - 1], "name_zh": NAMES_ZH[number - 1], "figures": figures, "happened": said}
        for number, make in enumerate(summary_rows.ROWS, start=1)
        for figures, said in [make(story, ground)]
    ]  # fmt: skip
    return {
        "scene": {
            "accounts": story.scene.accounts,
            "weeks": story.scene.weeks,
            "begins_on": story.scene.begins_on,
            "currency": CURRENCY,
            "done": len(story.scene.done),
        },
        "stages": rows,
        "sign_in": {
            "password": story.scene.password,
            "people": {
                person.username: {"name": person.name, "role": person.role, "totp_secret": story.scene.totp[person.username]}
                for person in PEOPLE
            },
            "borrower": {"code": story.scene.borrower_code, "last_four": story.scene.borrower_last_four},
        },
    }  # fmt: skip


def table(gathered: dict[str, Any]) -> str:
    """Lay the summary out as one table for people."""
    scene = gathered["scene"]
    lines = [
        f"Weituo 委托: {scene['accounts']:,} invented accounts, {scene['weeks']} weeks from {scene['begins_on']}",
        "",
        f"{'#':>2}  {'stage':<{WIDTH}}  what happened",
        f"{'--':>2}  {'-' * WIDTH}  {'-' * 60}",
    ]
    lines += [f"{row['stage']:>2}  {row['name']:<{WIDTH}}  {row['happened']}" for row in gathered["stages"]]
    return "\n".join(lines)


def sign_ins(story: Story, *, base_url: str) -> str:
    """Say where to go and how each kind of user signs in; the codes change every 30 seconds."""
    scene = story.scene
    lines = [
        "",
        f"Console, portal and borrower pages: {base_url}",
        f"Password of everybody: {scene.password}    present code: weituo demo code USER",
        "",
    ]
    for person in PEOPLE:
        code = enrolment.present_code(scene.totp[person.username])
        home = "/agency/" if person.agency else "/"
        lines.append(
            f"  {person.username:<11} {person.role:<18} {home:<9} code now {code}   secret {scene.totp[person.username]}"
        )
    lines += [
        f"  {'borrower':<11} {'BORROWER':<18} {'/my/':<9} code {scene.borrower_code}   last four {scene.borrower_last_four}",
        f"  {'system':<11} {'INTEGRATOR':<18} {'/api/v1/':<9} Authorization: Bearer {scene.keys['HENGAN']}",
        "",
        "Ctrl-C ends the server; `make demo` starts it again in seconds.",
    ]
    return "\n".join(lines)
