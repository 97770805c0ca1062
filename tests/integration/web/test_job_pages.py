"""Long work by pages: a book sent and imported, a model trained; progress, results and refusals on the job's page."""

from __future__ import annotations

import gzip
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from weituo.cli.book import write_invented
from weituo.domain.book import profiles
from weituo.domain.book import queries as book
from weituo.domain.placement import queries as placement
from weituo.foundation import clock
from weituo.foundation.files import uploads
from weituo.foundation.identity.roles import Role
from weituo.foundation.ids import new_id
from weituo.foundation.jobs import kinds, queue, worker
from weituo.web.presenters import jobs as presenters

from tests.builders import actors, evaluation, jobs, pages
from tests.builders import placement as build

LIN = actors.staff()
AS_OF = date(2026, 3, 1)


def invented(folder: Path, *, name: str = "book.csv") -> SimpleUploadedFile:
    path = folder / name
    write_invented(path, accounts=120, seed=3, as_of=AS_OF)
    return SimpleUploadedFile(name, path.read_bytes())


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep uploads apart from those of tests that run beside."""
    monkeypatch.setattr(settings, "WEITUO_HOME", tmp_path / "home")


def kept() -> set[str]:
    return {folder.name for folder in uploads._folder().iterdir()}


def order(file: Any, **changed: Any) -> dict[str, Any]:
    return {"file": file, "profile": "demo_book", "as_of": AS_OF.isoformat()} | changed


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_book_is_sent_imported_and_deleted(db: str, tmp_path: Path, language: str) -> None:
    client, before = pages.browser(language=language), kept()
    form = client.get("/book/imports/")
    assert form.context["may_import"]
    assert {"demo_book", "uci_credit_card"} <= set(form.context["profiles"])
    answer = client.post("/book/imports/begin/", order(invented(tmp_path, name="三月 book.csv.gz")))
    [folder] = kept() - before
    assert (settings.WEITUO_HOME / "uploads" / folder).stat().st_mode & 0o777 == 0o700
    waiting = client.get(answer.headers["Location"])
    assert waiting.context["job"]["open"]
    assert jobs.result(client, answer) == "/book/imports/"
    [row] = book.imports(LIN)
    assert (row["filename"], row["accounts"] + row["rejected"]) == ("三月 book.csv.gz", 120)
    assert kept() == before
    page = client.get(answer.headers["Location"])
    assert page.context["state"]["tone"] == "good"
    assert client.get("/jobs/").context["state"]["tone"] == "good"


def test_a_refused_book_says_why_and_is_deleted_too(db: str) -> None:
    client, before = pages.browser(), kept()
    answer = client.post("/book/imports/begin/", order(SimpleUploadedFile("book.csv", b"a,b\n1,2\n")))
    page = jobs.done(client, answer)
    assert page.context["job"]["state"] == "REFUSED"
    assert page.context["state"]["text"].startswith("Nothing was changed: ")
    assert "account_id" in pages.words(page)
    assert client.get(page.context["state"]["next"][0]["url"]).status_code == 200
    assert client.get("/jobs/").status_code == 200
    assert (kept(), book.imports(LIN)) == (before, [])


def test_what_cannot_begin_leads_back_with_the_reason_and_keeps_nothing(
    db: str, tmp_path: Path, monkeypatch: Any
) -> None:
    client, before = pages.browser(), kept()
    for wrong, said in (
        (order(""), "choose a file"),
        (order(invented(tmp_path), profile=""), "this field is needed"),
        (order(invented(tmp_path), as_of="soon"), "a day is needed"),
    ):
        page = client.post("/book/imports/begin/", wrong, follow=True)
        assert page.redirect_chain == [("/book/imports/", 302)]
        assert said in pages.words(page)
    monkeypatch.setattr(settings, "WEITUO_UPLOAD_MB", 3)
    for size in (3_000_001, 9_000_000):
        large = SimpleUploadedFile("book.csv", b"x" * size)
        page = client.post("/book/imports/begin/", order(large), follow=True)
        assert "larger than 3 MB" in pages.words(page)
    assert (kept(), queue.jobs(LIN)) == (before, [])


def test_an_unknown_profile_is_refused_by_the_job(db: str, tmp_path: Path) -> None:
    client = pages.browser()
    page = jobs.done(
        client, client.post("/book/imports/begin/", order(invented(tmp_path), profile="../../x"))
    )
    assert "there is no such profile" in page.context["state"]["text"]


def test_a_profile_of_the_lenders_own_wins(db: str, tmp_path: Path, monkeypatch: Any) -> None:
    own = tmp_path / "demo_book.toml"
    own.write_text("name = 'own'", encoding="utf-8")
    monkeypatch.setattr(settings, "WEITUO_PROFILES", [tmp_path, *settings.WEITUO_PROFILES])
    assert profiles.on_hand("demo_book") == own
    assert profiles.names().count("demo_book") == 1


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR])
def test_whoever_may_not_import_sees_no_form_and_may_not_send(db: str, tmp_path: Path, role: Role) -> None:
    client = pages.browser(role, name="other")
    assert not client.get("/book/imports/").context["may_import"]
    assert client.post("/book/imports/begin/", order(invented(tmp_path))).status_code == 403
    assert client.get("/jobs/").status_code == 200


def order_of(source: str, **more: Any) -> dict[str, Any]:
    return {"source": source, "seed": "3", "horizon_weeks": "26"} | more


def test_a_model_is_trained_on_a_cohort_that_was_sent(
    db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "WEITUO_DEMO", False)
    client, before = pages.browser(Role.ANALYST, name="wu"), kept()
    path = tmp_path / "cohort.parquet"
    build.cohort().write_parquet(path)
    sent = SimpleUploadedFile("cohort.parquet", path.read_bytes())
    address = jobs.result(client, client.post("/models/train/", order_of("FILE", file=sent)))
    [model] = placement.models(LIN)
    assert address == f"/models/{model['id']}/"
    assert (model["seed"], model["state"], kept()) == (3, "CANDIDATE", before)
    csv = SimpleUploadedFile("cohort.csv", build.cohort().head(20).write_csv().encode())
    page = jobs.done(client, client.post("/models/train/", order_of("FILE", file=csv)))
    assert "at least 300" in page.context["state"]["text"]
    for wrong, said in (
        (order_of("FILE", seed="many", file=csv), "a whole number is needed"),
        (order_of("FILE"), "choose a file"),
        (order_of("INVENTED", invented="400"), "choose from the list"),
    ):
        assert said in pages.words(client.post("/models/train/", wrong, follow=True))
    far = jobs.done(client, client.post("/models/train/", order_of("PLACEMENTS", horizon_weeks="900")))
    assert "1 to 104 weeks" in far.context["state"]["text"]
    assert kept() == before


def test_a_model_learns_from_the_books_own_placements(db: str) -> None:
    evaluation.agencies(payers=(0.2, 0.4), count=30)
    client = pages.browser(Role.ANALYST, name="wu")
    page = jobs.done(client, client.post("/models/train/", order_of("PLACEMENTS", horizon_weeks="1")))
    assert page.context["job"]["state"] == "REFUSED"
    assert "at least 300 are needed" in page.context["state"]["text"]


def test_an_invented_past_is_learnt_from_in_the_demonstration_only(db: str, monkeypatch: Any) -> None:
    client = pages.browser(Role.ANALYST, name="wu")
    asked = order_of("INVENTED", invented="600")
    monkeypatch.setattr(settings, "WEITUO_DEMO", True)
    answer = client.post("/models/train/", asked)
    assert jobs.result(client, answer).startswith("/models/")
    again = client.post("/models/train/", asked | {"seed": "6"})
    monkeypatch.setattr(settings, "WEITUO_DEMO", False)
    assert "demonstration only" in jobs.done(client, again).context["state"]["text"]


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_a_job_shows_each_state_in_words(db: str, language: str) -> None:
    client = pages.browser(language=language)
    asked_at = clock.now()
    job_id = queue.ask(
        actor=LIN, kind="sharing.build", arguments={"agency_id": str(new_id()), "run_id": str(new_id())}, at=asked_at
    )  # fmt: skip
    said = [client.get(f"/jobs/{job_id}/").context["state"]["text"]]
    with clock.at_instant(asked_at + timedelta(minutes=5)):
        late = client.get(f"/jobs/{job_id}/")
    said.append(late.context["state"]["text"])
    assert late.context["state"]["tone"] == "watch"
    assert "weituo worker" in said[-1]
    taken = queue.take(at=asked_at)
    assert taken is not None
    queue.progressed(taken, part=2, parts=4, words="…")
    page = client.get(f"/jobs/{job_id}/")
    said.append(page.context["state"]["text"])
    assert '<progress class="w-50" id="progress" value="2" max="4">' in page.content.decode()
    assert "data-open" in client.get(f"/jobs/{job_id}/progress/").content.decode()
    assert client.get("/jobs/").context["state"]["tone"] == "none"
    queue.give_back(taken, counts=True)
    second = queue.take(at=asked_at)
    assert second is not None
    said.append(client.get(f"/jobs/{job_id}/").context["state"]["text"])
    queue.end(second, state="FAILED", at=asked_at, refusal={"message": "A fault of the program: X"})
    said.append(client.get(f"/jobs/{job_id}/").context["state"]["text"])
    assert client.get("/jobs/").context["state"]["tone"] == "bad"
    assert "data-open" not in client.get(f"/jobs/{job_id}/progress/").content.decode()
    assert len(set(said)) == len(said) == 5
    assert worker.work_off() == 0


def test_a_page_that_leads_back_keeps_what_was_typed() -> None:
    limits = {"agencies": {"ALPHA": {"accounts_max": 9}, "BETA": {"accounts_min": 4}}}
    back = presenters.KINDS["placement.solve"].form(
        {"as_of": "2026-03-01", "exploration": 0.1, "seed": 11, "limits": limits}
    )
    assert back == "/placement/new/limits/?as_of=2026-03-01&exploration=10&seed=11&most_ALPHA=9&least_BETA=4"


def test_every_kind_of_job_can_be_shown() -> None:
    assert {name for name in kinds.known() if not name.startswith("test.")} == set(presenters.KINDS)


def test_a_job_that_is_not_there_is_not_found(db: str) -> None:
    assert pages.browser().get(f"/jobs/{new_id()}/").status_code == 404


def test_a_gzip_that_is_none_is_refused_in_words(db: str) -> None:
    client = pages.browser()
    broken = SimpleUploadedFile("book.csv.gz", gzip.compress(b"a,b\n")[:9])
    page = jobs.done(client, client.post("/book/imports/begin/", order(broken)))
    assert page.context["job"]["state"] == "REFUSED"
