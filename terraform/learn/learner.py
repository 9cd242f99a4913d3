"""Generator, discriminator, average and optimisers, and the one step that moves them."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from terraform.config import Train
from terraform.learn.augment import Batch
from terraform.learn.discriminators import build_discriminator
from terraform.learn.generators import build_generator
from terraform.learn.losses import (
    adversarial_loss,
    discriminator_loss,
    feature_loss,
    masked_l1,
    masked_mse,
    texture_loss,
)
from terraform.learn.weights import deployed

LOSSES = ("g_adv", "g_l1", "d_real", "d_fake")


class Learner:
    """Everything that a step changes.

    Parameters
    ----------
    settings : Train
    channels : int
        Channels of the condition.
    seed : int
        Of the initial weights.
    device : torch.device
    """

    def __init__(self, settings: Train, channels: int, seed: int, device: torch.device) -> None:
        torch.manual_seed(seed)
        self.settings, self.device = settings, device
        self.generator = build_generator(settings, channels + settings.noise).to(device)
        self.discriminator = build_discriminator(settings, channels)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.steps = 0
        self._optimisers = [_adam(self.generator, settings.rate)]
        if self.discriminator is not None:
            self.discriminator.to(device)
            self._optimisers.append(_adam(self.discriminator, settings.discriminator_rate))
        for network in filter(None, (self.generator, self.discriminator, self.average)):
            network.to(memory_format=torch.channels_last)

    def step(self, batch: Batch, done: float) -> Tensor:
        """Learn from one batch.

        Parameters
        ----------
        batch : Batch
        done : float
            Share of the training that lies behind, 0 to 1: it decides the learning rates.

        Returns
        -------
        (4,) Tensor
            The losses named in `LOSSES`, on the device.
        """
        self._set_rates(done)
        self.generator.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            generated = self.generator(batch.seen.contiguous(memory_format=torch.channels_last))
            if self.discriminator is None:
                losses = self._step_alone(generated, batch)
            else:
                losses = self._step_against(self.discriminator, generated, batch)
        self.steps += 1
        self._follow()
        return losses

    def rate(self, done: float) -> float:
        """The generator's learning rate: constant, then linear to zero (pix2pix, reference implementation)."""
        start = self.settings.decay_from
        return self.settings.rate * (1.0 if done <= start else (1 - done) / (1 - start))

    def _step_alone(self, generated: Tensor, batch: Batch) -> Tensor:
        kind = masked_mse if self.settings.network == "cnn" else masked_l1
        loss = kind(generated, batch.imagery, batch.valid)
        self._move(0, loss)
        difference = masked_l1(generated.detach(), batch.imagery, batch.valid)
        zero = torch.zeros((), device=self.device)
        return torch.stack([zero, difference, zero, zero])

    def _step_against(self, discriminator: nn.Module, generated: Tensor, batch: Batch) -> Tensor:
        settings = self.settings
        # What nobody knows is shown equal on both sides.
        real_pair = torch.cat([batch.condition, batch.imagery * batch.valid], 1)
        fake_pair = torch.cat([batch.condition, generated * batch.valid], 1)
        discriminator.requires_grad_(True)
        on_real = discriminator(real_pair)
        on_fake = discriminator(fake_pair.detach())
        d_real, d_fake = discriminator_loss(on_real, on_fake, settings.adversarial)
        self._move(1, (d_real + d_fake) / 2)

        discriminator.requires_grad_(False)
        on_fake = discriminator(fake_pair)
        g_adv = adversarial_loss(on_fake, settings.adversarial)
        g_l1 = masked_l1(generated, batch.imagery, batch.valid)
        loss = g_adv + settings.lambda_l1 * g_l1
        if settings.lambda_features:
            with torch.no_grad():
                on_real = discriminator(real_pair)
            loss = loss + settings.lambda_features * feature_loss(on_real, on_fake)
        if settings.lambda_texture:
            loss = loss + settings.lambda_texture * texture_loss(generated, batch.imagery, batch.valid)
        self._move(0, loss)
        return torch.stack([g_adv, g_l1, d_real, d_fake]).detach().float()

    def _move(self, which: int, loss: Tensor) -> None:
        optimiser = self._optimisers[which]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    def _set_rates(self, done: float) -> None:
        share = self.rate(done) / self.settings.rate
        for optimiser, rate in zip(
            self._optimisers, (self.settings.rate, self.settings.discriminator_rate), strict=False
        ):
            for group in optimiser.param_groups:
                group["lr"] = rate * share

    @torch.no_grad()
    def _follow(self) -> None:
        # A young average would remember the initial weights: its decay grows with the steps.
        decay = min(self.settings.average, (1 + self.steps) / (10 + self.steps))
        pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
        mine, theirs = zip(*pairs, strict=True)
        torch._foreach_lerp_(list(mine), list(theirs), 1 - decay)
        for average, buffer in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            average.copy_(buffer)

    @torch.no_grad()
    def deployable(self, batches: list[Batch]) -> nn.Module:
        """The network to draw with: the average, with running statistics estimated anew on `batches`.

        The average never saw the statistics that the generator collected; a pass over some batches in training
        mode gives it its own (Izmailov et al. 2018, 3.2).
        """
        source = self.average if self.settings.average else self.generator
        network = deployed(copy.deepcopy(source), self.settings)
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        if not self.settings.average or not norms or network.training:
            return network
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a cumulative mean
        network.train()
        for batch in batches:
            network(batch.seen.contiguous(memory_format=torch.channels_last))
        for norm in norms:
            norm.momentum = 0.1
        return network.eval()

    def tensors(self) -> dict[str, Tensor]:
        """Everything to save, by name."""
        named = {"rng": torch.get_rng_state()}
        for part, network in self._networks().items():
            named |= {f"{part}.{name}": tensor for name, tensor in network.state_dict().items()}
        for number, optimiser in enumerate(self._optimisers):
            for index, state in optimiser.state_dict()["state"].items():
                named |= {f"optimiser{number}.{index}.{name}": value for name, value in state.items()}
        return {name: tensor.detach().cpu().contiguous() for name, tensor in named.items()}

    def restore(self, tensors: dict[str, Tensor], steps: int) -> None:
        """The inverse of `tensors`."""
        self.steps = steps
        for part, network in self._networks().items():
            network.load_state_dict(_under(tensors, f"{part}."))
        for number, optimiser in enumerate(self._optimisers):
            state: dict[int, dict[str, Any]] = {}
            parameters = optimiser.param_groups[0]["params"]
            for name, value in _under(tensors, f"optimiser{number}.").items():
                index, _, key = name.partition(".")
                state.setdefault(int(index), {})[key] = _laid_out(value, parameters[int(index)])
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["rng"])

    def _networks(self) -> dict[str, nn.Module]:
        networks = {"generator": self.generator, "average": self.average}
        return networks if self.discriminator is None else {**networks, "discriminator": self.discriminator}


def _adam(network: nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), rate, betas=(0.5, 0.999), fused=True)


def _laid_out(value: Tensor, parameter: Tensor) -> Tensor:
    """In the parameter's order of memory: the fused optimiser walks through both without looking at strides."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
