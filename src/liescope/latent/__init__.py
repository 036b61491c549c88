"""The latent engine: the paper's neural symmetry detector. Lightning is imported only when something is trained."""

from liescope.latent.action import PatchAction, VectorAction
from liescope.latent.alpha import PixelAction
from liescope.latent.checkpoint import CHECKPOINT_FILES
from liescope.latent.config import PRESETS, LatentConfig, LossConfig, ModelConfig, TrainingConfig, get_config
from liescope.latent.engine import LatentFit, WarmStart, fit_latent, held_out_split
from liescope.latent.losses import TERMS, loss_terms
from liescope.latent.model import LatentModel, LatentOutput
from liescope.latent.trained import SCHEMA, TrainedLatent, load_latent

__all__ = [
    "CHECKPOINT_FILES",
    "PRESETS",
    "SCHEMA",
    "TERMS",
    "LatentConfig",
    "LatentFit",
    "LatentModel",
    "LatentOutput",
    "LossConfig",
    "ModelConfig",
    "PatchAction",
    "PixelAction",
    "TrainedLatent",
    "TrainingConfig",
    "VectorAction",
    "WarmStart",
    "fit_latent",
    "get_config",
    "held_out_split",
    "load_latent",
    "loss_terms",
]
