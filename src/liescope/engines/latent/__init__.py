"""The latent engine: the paper's neural symmetry detector. Lightning is imported only when something is trained."""

from liescope.engines.latent.action import PatchAction, VectorAction
from liescope.engines.latent.alpha import PixelAction
from liescope.engines.latent.checkpoint import CHECKPOINT_FILES
from liescope.engines.latent.config import PRESETS, LatentConfig, LossConfig, ModelConfig, TrainingConfig, get_config
from liescope.engines.latent.engine import LatentEngine
from liescope.engines.latent.files import SCHEMA
from liescope.engines.latent.fitting import LatentFit, WarmStart, fit_latent, held_out_split
from liescope.engines.latent.losses import TERMS, loss_terms
from liescope.engines.latent.model import LatentModel, LatentOutput
from liescope.engines.latent.trained import TrainedLatent, load_latent

__all__ = [
    "CHECKPOINT_FILES",
    "PRESETS",
    "SCHEMA",
    "TERMS",
    "LatentConfig",
    "LatentEngine",
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
