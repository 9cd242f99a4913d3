"""Generator, discriminator, average and optimisers, and the one step that moves them."""

import copy
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from terraform.config import Train
from terraform.learn import ema, objective
from terraform.learn.data.augment import Batch
from terraform.learn.models.diffaugment import Geometry
from terraform.learn.models.discriminators import build_discriminator
from terraform.learn.models.generators import base_channels, build_generator
from terraform.learn.optimiser import Adam
from terraform.learn.runtime import memory
from terraform.learn.runtime.by_region import per_image_l1
from terraform.learn.runtime.distributed import SINGLE, Processes, sync_layers
from terraform.learn.step_stats import BufferSnapshot, StepStats, norm_of

LOSSES = ("g_adv", "g_l1", "d_real", "d_fake")
"""What a step counts, in order; columns of the history."""


class Trainer:
    """Everything that a step changes.

    Parameters
    ----------
    settings : Train
    channels : int
        Channels of the encoded relief.
    seed : int
        Of the initial weights.
    device : torch.device
    processes : Processes
        Those that learn together with this one.

    Attributes
    ----------
    per_image_l1 : (N,) Tensor
        L1 of each picture of the last batch.
    start : mapping of str to Tensor, optional
        The generator's values of the weights that the run started from.
    """

    def __init__(
        self, settings: Train, channels: int, seed: int, device: torch.device, processes: Processes = SINGLE
    ) -> None:
        torch.manual_seed(seed)
        channels += base_channels(settings)
        self.settings, self.device, self.processes = settings, device, processes
        self.generator = build_generator(settings, channels + settings.noise).to(device)
        self.discriminator = build_discriminator(settings, channels)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.start: Mapping[str, Tensor] | None = None
        self.steps = 0
        self.stats = StepStats(len(LOSSES), device)
        self.per_image_l1 = torch.zeros(0, device=device)
        sync_layers(self.generator, processes)
        if self.discriminator is not None:
            sync_layers(self.discriminator.to(device), processes)
        for network in self._networks().values():
            _to_channels_last(network)
        self._optimisers = [Adam(self.generator, settings.learning_rate)]
        if self.discriminator is not None:
            self._optimisers.append(Adam(self.discriminator, settings.discriminator_learning_rate))
        self._share = 1.0
        self._buffers = BufferSnapshot(network for name, network in self._networks().items() if name != "average")
        self._run_generator, self._run_discriminator = (self._compiled(n) for n in (self.generator, self.discriminator))

    def step(self, batch: Batch, done: float, image: int = 0) -> None:
        """Learn from one batch, square by square; non-finite losses and gradients change nothing and are counted.

        Parameters
        ----------
        batch : Batch
            This process's part.
        done : float
            Share of the training that lies behind, 0 to 1: it decides the learning rates.
        image : int
            Number of the whole batch's first image, for the tally.
        """
        self._share = self._share_of_rate(done)
        self.generator.train()
        found = [self._learn(square, image) for square in batch.squares(self.settings.square_px)]
        self.per_image_l1 = torch.stack(found).mean(0)

    def _learn(self, batch: Batch, image: int) -> Tensor:
        """Make one step and give each picture's L1, (N,)."""
        before = self._buffers.kept()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            generated = batch.without_halo(self._run_generator(batch.generator_input))
            if self.discriminator is None:
                losses, norms = self._step_l1(generated, batch)
            elif self.settings.lambda_feature_matching:
                losses, norms = self._step_joint(generated, batch)
            else:
                losses, norms = self._step_alternating(generated, batch)
        good = torch.isfinite(losses).all() & torch.isfinite(norms).all()
        self._buffers.restore_unless(before, good)
        self.steps += 1
        if self.settings.ema_decay:
            ema.update(self.average, self.generator, self.settings.ema_decay, self.steps, good)
        self.stats.add(losses, norms, good, image)
        return per_image_l1(generated, batch.imagery, batch.valid)

    def activation_bytes(self, batch: Batch) -> int:
        """Bytes that a step keeps of a batch until its gradients are known; it learns from it meanwhile."""
        networks = nn.ModuleList(self._networks().values())
        return memory.activation_bytes(lambda: self.step(batch, 0.0), networks)

    def rate(self, done: float) -> float:
        """Give the generator's learning rate: constant, then linear to zero (pix2pix, reference implementation)."""
        return self.settings.learning_rate * self._share_of_rate(done)

    def _share_of_rate(self, done: float) -> float:
        start = self.settings.decay_start
        return 1.0 if done <= start else (1 - done) / (1 - start)

    def inference_copy(self, batches: list[Batch]) -> nn.Module:
        """Make the network used for inference: the average, with running statistics estimated anew on `batches`."""
        if self.settings.ema_decay:
            return ema.inference_copy(self.average, self.settings, batches, self.start)
        plain = copy.deepcopy(self.average)
        plain.load_state_dict(self.generator.state_dict())
        return ema.inference_copy(plain, self.settings, batches, self.start)

    def _step_l1(self, generated: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        share = self.processes.share(batch.valid.sum())
        loss, g_l1 = objective.without_discriminator(generated, batch, share, self.settings)
        zero = torch.zeros((), device=self.device)
        losses = torch.stack([zero, g_l1.detach().float(), zero, zero])
        gradients, norm = self._gradients(0, loss, losses)
        self._apply_gradients(0, gradients, torch.isfinite(norm + losses.sum()))
        return losses, torch.stack([norm, zero])

    def _step_joint(self, generated: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Both judged by one discriminator, as in pix2pixHD: real features serve its loss and feature matching."""
        discriminator, settings = self._run_discriminator, self.settings
        real_pair, fake_pair = self._discriminator_inputs(batch, generated)
        # One power iteration of the spectral norm serves both.
        with nullcontext() if settings.compile else parametrize.cached():
            on_real, on_fake = discriminator(real_pair), discriminator(fake_pair)
        d_real, d_fake = objective.of_discriminator(on_real, on_fake, settings)
        share = self.processes.share(batch.valid.sum())
        loss, g_adv, g_l1 = objective.of_generator(generated, batch, on_fake, on_real, share, settings)
        losses = torch.stack([g_adv, g_l1, d_real, d_fake]).detach().float()
        of_d, norm_d = self._gradients(1, (d_real + d_fake) / 2, losses[2:], retain_graph=True)
        of_g, norm_g = self._gradients(0, loss, losses[:2])
        norms = torch.stack([norm_g, norm_d])
        good = torch.isfinite(norms.sum() + losses.sum())
        self._apply_gradients(1, of_d, good)
        self._apply_gradients(0, of_g, good)
        return losses, norms

    def _step_alternating(self, generated: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Step with the generator judged by the discriminator that has just learnt, as published for pix2pix."""
        discriminator, settings = self._run_discriminator, self.settings
        real_pair, fake_pair = self._discriminator_inputs(batch, generated)
        d_real, d_fake = objective.of_discriminator(
            discriminator(real_pair), discriminator(fake_pair.detach()), settings
        )
        d_losses = torch.stack([d_real, d_fake]).detach().float()
        of_d, norm_d = self._gradients(1, (d_real + d_fake) / 2, d_losses)
        good = torch.isfinite(norm_d + d_losses.sum())
        self._apply_gradients(1, of_d, good)
        share = self.processes.share(batch.valid.sum())
        loss, g_adv, g_l1 = objective.of_generator(generated, batch, discriminator(fake_pair), None, share, settings)
        g_losses = torch.stack([g_adv, g_l1]).detach().float()
        of_g, norm_g = self._gradients(0, loss, g_losses)
        self._apply_gradients(0, of_g, good & torch.isfinite(norm_g + g_losses.sum()))
        return torch.cat([g_losses, d_losses]), torch.stack([norm_g, norm_d])

    def _discriminator_inputs(self, batch: Batch, generated: Tensor) -> tuple[Tensor, Tensor]:
        real, fake = objective.pairs_of(batch, generated, self.settings)
        if not self.settings.diffaugment:
            return real, fake
        geometry = Geometry(real)
        return geometry(real), geometry(fake)

    def _gradients(
        self, which: int, loss: Tensor, losses: Tensor, retain_graph: bool = False
    ) -> tuple[Sequence[Tensor], Tensor]:
        """Gradients of one network's loss, over all processes as its losses; their norm."""
        # Only this network's: what lies between is passed through, not learnt.
        gradients = torch.autograd.grad(loss, self._optimisers[which].parameters, retain_graph=retain_graph)
        self.processes.average([*gradients, losses])
        return gradients, norm_of(gradients)

    def _apply_gradients(self, which: int, gradients: Sequence[Tensor], good: Tensor) -> None:
        self._optimisers[which].step(gradients, self._share, good)

    def tensors(self) -> dict[str, Tensor]:
        """Everything to save, by name."""
        named = {"rng": torch.get_rng_state(), "tally": self.stats.values}
        if self.device.type == "cuda":
            named["rng_cuda"] = torch.cuda.get_rng_state(self.device)
        for part, network in self._networks().items():
            named |= {f"{part}.{name}": tensor for name, tensor in network.state_dict().items()}
        for number, optimiser in enumerate(self._optimisers):
            named |= {f"optimiser{number}.{name}": value for name, value in optimiser.tensors().items()}
        return {
            name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in named.items()
        }

    def restore(self, tensors: dict[str, Tensor], steps: int) -> None:
        """Restore what `tensors` returned."""
        self.steps = steps
        self.stats.values.copy_(tensors["tally"])
        for part, network in self._networks().items():
            network.load_state_dict(_under(tensors, f"{part}."))
        for number, optimiser in enumerate(self._optimisers):
            optimiser.restore(_under(tensors, f"optimiser{number}."))
        torch.set_rng_state(tensors["rng"])
        if "rng_cuda" in tensors and self.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["rng_cuda"], self.device)

    def _networks(self) -> dict[str, nn.Module]:
        networks = {"generator": self.generator, "average": self.average}
        return networks if self.discriminator is None else {**networks, "discriminator": self.discriminator}

    def _compiled(self, network: nn.Module | None) -> Any:
        return torch.compile(network) if network is not None and self.settings.compile else network


def _to_channels_last(network: nn.Module) -> None:
    """Channels last in memory, except for kernels of transposed convolutions: their gradients come the other way."""
    network.to(memory_format=torch.channels_last)
    for module in network.modules():
        if isinstance(module, nn.ConvTranspose2d):
            module.weight.data = module.weight.data.contiguous()


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
