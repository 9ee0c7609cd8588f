"""Latency tables that nobody measured: a part takes as long as its MACs, times a price.

MACs are linear in each width, so interpolation between two points is exact.
"""

from pruneasr import SAMPLE_RATE
from pruneasr.pruning.latency import Grid, LatencyTable
from pruneasr.pruning.widths import config_widths

SECONDS = 2.0


def line(end, price):
    return Grid(((0.0, float(end)),), (0.0, float(end * price)))


def mac_table(config, conv_price=1.0, per_head=0.0):
    """A table of the MACs of 2 s; a MAC of a convolution takes conv_price."""
    frames, before, conv = round(SECONDS * SAMPLE_RATE), 1, []
    for layer in config.conv_layers:
        frames = (frames - layer.kernel) // layer.stride + 1
        most = conv_price * frames * layer.kernel * before * layer.channels
        axes = ((0.0, float(before)), (0.0, float(layer.channels)))
        conv.append(Grid(axes, (0.0, 0.0, 0.0, most)))
        before = layer.channels
    dense = config_widths(config).blocks[0]
    column = 2 * frames * config.dim + frames * frames
    qk, vo = column * dense.qk, column * dense.vo
    columns = ((0.0, float(dense.qk)), (0.0, float(dense.vo)))
    per_frame = config.dim**2 // config.pos_conv_groups * config.pos_conv_kernel
    return LatencyTable(
        config=config,
        machine="none",
        device="cpu",
        dtype="float32",
        threads=1,
        seconds=SECONDS,
        conv=tuple(conv),
        projection=line(before, frames * config.dim),
        heads=line(dense.heads, per_head),
        attention=Grid(columns, (0.0, float(vo), float(qk), float(qk + vo))),
        feed_forward=line(dense.ffn, 2 * frames * config.dim),
        rest=float(config.pos_conv_layers * frames * per_frame),
    )
