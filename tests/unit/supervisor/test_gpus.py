from fluster.supervisor import GpuAllocator


def test_each_gpu_is_given_once_in_the_machines_order():
    gpus = GpuAllocator(["c", "a", "b"])
    assert gpus.take(2) == ("c", "a")
    assert gpus.take(1) == ("b",)
    assert gpus.free == 0


def test_where_too_few_are_free_none_is_taken():
    gpus = GpuAllocator(["a", "b"])
    gpus.take(1)
    assert gpus.take(2) is None
    assert gpus.take(1) == ("b",)


def test_who_asks_for_none_never_waits():
    assert GpuAllocator().take(0) == ()
    assert GpuAllocator().take(1) is None


def test_what_is_given_back_is_free_again():
    gpus = GpuAllocator(["a", "b"])
    gpus.give_back(gpus.take(2))
    gpus.give_back(["a"])
    assert (gpus.free, gpus.take(2)) == (2, ("a", "b"))


def test_what_a_job_holds_already_is_not_given_to_another_even_if_the_machine_lost_it():
    gpus = GpuAllocator(["a", "b"])
    gpus.adopt(["a", "gone"])
    assert (gpus.free, gpus.take(1)) == (1, ("b",))
    gpus.give_back(["a", "gone"])
    assert gpus.take(1) == ("a",)
