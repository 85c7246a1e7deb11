"""Events are kept in order, bounded, and counted when they repeat."""

from service import events
from service.events import Events


def test_the_last_events_come_oldest_first() -> None:
    kept = Events()
    for number in range(5):
        kept.note("docked", f"alpha@{number}")
    assert [event.subject for event in kept.after(0, 2)] == ["alpha@3", "alpha@4"]
    assert [event.number for event in kept.after(3, 10)] == [4, 5]
    assert kept.after(5, 10) == []


def test_a_repeated_event_is_one_with_a_count_and_a_new_number() -> None:
    kept = Events()
    kept.note("docked", "alpha@1")
    for _ in range(3):
        kept.note("key_refused", "inference", "no key")
    kept.note("key_refused", "admin", "no key")
    told = [(event.number, event.subject, event.count) for event in kept.after(0, 10)]
    assert told == [(1, "alpha@1", 1), (4, "inference", 3), (5, "admin", 1)]


def test_whoever_has_no_key_cannot_push_the_others_out() -> None:
    kept = Events()
    kept.note("docked", "alpha@1")
    for _ in range(events.KEPT_EVENTS):
        for route in ("inference", "admin"):
            kept.note("key_refused", route, "no key")
    told = [(event.subject, event.count) for event in kept.after(0, 10_000)]
    assert told == [
        ("alpha@1", 1),
        *((route, events.KEPT_EVENTS) for route in ("inference", "admin")),
    ]


def test_old_events_give_way() -> None:
    kept = Events()
    for number in range(events.KEPT_EVENTS + 10):
        kept.note("docked", str(number))
    assert len(kept.after(0, 10_000)) == events.KEPT_EVENTS
    assert kept.after(0, 10_000)[0].subject == "10"
