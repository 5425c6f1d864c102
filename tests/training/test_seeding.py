import torch

from fieldstone.training.seeding import borrowed_chance, seed_devices, step_seed

CPU = torch.device("cpu")


def test_a_seed_gives_the_numbers_of_a_generator_of_that_seed() -> None:
    with borrowed_chance(CPU):
        seed_devices(CPU, 5)
        assert torch.equal(torch.rand(8), torch.rand(8, generator=torch.Generator().manual_seed(5)))


def test_what_was_borrowed_is_given_back() -> None:
    before = torch.get_rng_state()
    with borrowed_chance(CPU):
        seed_devices(CPU, 5)
        torch.rand(8)
    assert torch.equal(torch.get_rng_state(), before)


def test_devices_that_are_not_used_keep_no_list_of_seeds() -> None:
    before = len(torch.cuda._queued_calls)
    with borrowed_chance(CPU):
        for step in range(3):
            seed_devices(CPU, step_seed(0, step))
    assert len(torch.cuda._queued_calls) == before


def test_each_step_has_its_own_seed() -> None:
    assert len({step_seed(seed, step) for seed in range(3) for step in range(100)}) == 300
