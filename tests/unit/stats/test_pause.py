import threading

from fluster.stats.pause import Pause


def test_a_pause_ends_when_another_thread_ends_it_and_at_once_where_that_was_before():
    pause = Pause()
    pause.end()
    pause.take(None)
    thread = threading.Thread(target=pause.take, args=(None,))
    thread.start()
    pause.end()
    thread.join(10)
    assert not thread.is_alive()


def test_a_pause_ends_by_itself():
    Pause().take(0.001)
