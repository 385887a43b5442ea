import pytest

from explorer.pages import _demo


@pytest.fixture(autouse=True)
def whole_pages(monkeypatch):
    """Controls run their whole page: of a page, AppTest keeps what its last run drew, no more.

    What they run of it in a browser is for `tests/e2e/test_parts.py` to say.
    """
    monkeypatch.setattr(_demo, "moved", lambda take: take)
    monkeypatch.setattr(_demo, "with_controls", lambda take: take)
