"""Modules of torchvision and timm through `fs.inspect`: multiply-adds against fvcore's and torch's own counter.

python benchmarks/modules.py [NAME ...]

It needs torchvision, timm and fvcore, which Fieldstone does not. fvcore counts other things beside products of weights;
compared are its convolutions, linear layers and matrix products, where it knows every one of them in the module.
"""

import logging
import sys
import time
import warnings
from typing import Any

import timm
import torch
import torchvision
from fvcore.nn import FlopCountAnalysis
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

import fieldstone as fs
from machine import machine

PRODUCTS = {"conv", "linear", "matmul", "addmm", "bmm", "baddbmm", "einsum"}
FUSED = ("attention", "lstm", "gru", "einsum", "baddbmm", "deform")  # products that fvcore does not know

TORCHVISION = [
    "alexnet",
    "vgg16_bn",
    "resnet18",
    "resnet50",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "densenet121",
    "googlenet",
    "inception_v3:299",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "mnasnet1_0",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "regnet_y_400mf",
    "convnext_tiny",
    "vit_b_16",
    "swin_t",
    "swin_v2_t",
    "maxvit_t",
    "fcn_resnet50",
    "deeplabv3_resnet50",
    "lraspp_mobilenet_v3_large",
    "r3d_18:3x8x112x112",
    "s3d:3x16x224x224",
    "mvit_v2_s:3x16x224x224",
]

TIMM = [
    "resnet50d",
    "seresnet50",
    "ecaresnet50d",
    "res2net50_26w_4s",
    "resnest50d",
    "skresnet34",
    "hrnet_w18",
    "dla34",
    "tf_efficientnet_b0",
    "efficientnet_lite0",
    "mixnet_s",
    "ghostnet_100",
    "repvgg_a0",
    "darknet53",
    "cspdarknet53",
    "rexnet_100",
    "lcnet_100",
    "inception_v4:299",
    "xception41:299",
    "dpn68",
    "selecsls42b",
    "ese_vovnet19b_dw",
    "regnetz_b16",
    "nf_resnet50",
    "resnetv2_50x1_bit",
    "convnext_nano",
    "convnextv2_nano",
    "vit_tiny_patch16_224",
    "deit_tiny_patch16_224",
    "swin_tiny_patch4_window7_224",
    "mixer_s16_224",
    "gmlp_s16_224",
    "poolformer_s12",
    "levit_128",
    "mobilevit_s",
    "edgenext_small",
    "cait_xxs24_224",
    "pit_ti_224",
    "twins_pcpvt_small",
    "xcit_nano_12_p16_224",
    "beit_base_patch16_224",
    "coatnet_nano_rw_224",
    "maxvit_nano_rw_256:256",
    "fastvit_t8",
    "efficientformer_l1",
    "tresnet_m",
    "volo_d1_224",
    "crossvit_tiny_240:240",
    "focalnet_tiny_srf",
    "davit_tiny",
    "nest_tiny",
    "efficientvit_b0",
    "tiny_vit_5m_224",
    "mobilenetv4_conv_small",
]


def make(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """A module without learned weights, and its input."""
    library, _, rest = name.partition("/")
    model, _, sides = rest.partition(":")
    shape = tuple(map(int, sides.split("x"))) if "x" in sides else (3, *[int(sides or 224)] * 2)
    if library == "timm":
        return timm.create_model(model, pretrained=False).eval(), shape
    options: dict[str, Any] = (
        {"weights_backbone": None} if "resnet50" in model and "_r" in model and "wide" not in model else {}
    )
    options = {"init_weights": False} if model in ("googlenet", "inception_v3") else options
    options = {"weights_backbone": None} if model.startswith("lraspp") else options
    return torchvision.models.get_model(model, weights=None, **options).eval(), shape


def by_fvcore(module: nn.Module, shape: tuple[int, ...]) -> int | str:
    """Its products of weights, or what it does not know."""
    counted = FlopCountAnalysis(module, torch.zeros(1, *shape)).unsupported_ops_warnings(False)
    counted.uncalled_modules_warnings(False).tracer_warnings("none")
    try:
        products = sum(count for kind, count in counted.by_operator().items() if kind in PRODUCTS)
    except Exception as fault:  # noqa: BLE001  # whatever it raises is the answer
        return f"fails: {type(fault).__name__}"
    missing = [kind for kind in counted.unsupported_ops() if any(word in kind for word in FUSED)]
    return f"not {missing[0]}" if missing else int(products)


def by_torch(module: nn.Module, shape: tuple[int, ...]) -> int:
    """What torch counts in a real run, attention written out."""
    module.requires_grad_(False)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, *shape))
    return counter.get_total_flops() // 2


def line(name: str) -> str:
    """A row of the table."""
    module, shape = make(name)
    start = time.perf_counter()
    summary = fs.inspect(module, shape)
    seconds = time.perf_counter() - start
    assert summary.params == sum(one.numel() for one in module.parameters()), "every parameter once"
    repr(summary), summary.to_json()
    peer, own = by_fvcore(module, shape), by_torch(module, shape)
    against = peer if isinstance(peer, str) else f"{summary.macs / peer - 1:+.4%}"
    known = sum(row.field is not None for row in summary.rows) / len(summary.rows)
    codes = " ".join(sorted({finding.code for finding in summary.findings})) or "none"
    said = "; ".join(untraced.reason for untraced in summary.untraced)
    cells = (name, "x".join(map(str, shape)), f"{summary.params:,}", f"{summary.macs:,}", against,
             f"{summary.macs / own - 1:+.4%}", f"{len(summary.rows)}", f"{known:.0%}", codes,
             f"{seconds:.2f}", said)  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    timm.layers.set_fused_attn(False)
    torch.backends.mha.set_fastpath_enabled(False)  # which neither of the counters knows
    names = sys.argv[1:] or [f"torchvision/{name}" for name in TORCHVISION] + [f"timm/{name}" for name in TIMM]
    print(machine(), f"torchvision {torchvision.__version__}, timm {timm.__version__}, {len(names)} modules")
    heads = "module, input, parameters, multiply-adds, to fvcore, to torch, rows, fields known, findings, seconds, said"
    print("| " + heads.replace(", ", " | ") + " |\n|" + " --- |" * 11)
    for name in names:
        try:
            print(line(name), flush=True)
        except Exception as fault:  # noqa: BLE001  # how many fail is what is asked
            print(f"| {name} | FAILED: {type(fault).__name__}: {str(fault)[:300]} |", flush=True)


if __name__ == "__main__":
    main()
