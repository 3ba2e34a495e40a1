"""The operator `linmu::run` of torch: kernels under autograd, torch.compile and torch.export.

It is imported with the first call that needs it, once torch is there.
"""

import functools

import torch

from linmu import kernel as kernels

__all__ = ["call", "operator"]


@functools.lru_cache(maxsize=1024)
def _kernel(program: str, wrt: str, of: str):
    """The kernel of a call, from memory or the disk where it has been compiled before."""
    return kernels._compile(program, _names(wrt), _names(of))


def _names(text: str) -> tuple:
    return tuple(text.split(",")) if text else ()


def _dense_rows(tensor):
    """Kernels need the elements of a row side by side, which cotangents, repeated as they may be, are not."""
    return tensor if tensor.shape[-1] == 1 or tensor.stride(-1) == 1 else tensor.contiguous()


@torch.library.custom_op("linmu::run", mutates_args=())
def operator(
    operands: list[torch.Tensor], program: str, wrt: str, of: str, threads: int
) -> list[torch.Tensor]:
    """The results of a pattern, or, where `wrt` names inputs, the gradients of the results `of` with respect to them:
    then the operands are the pattern's inputs and the cotangents. Names are separated by commas. `program` holds the
    arguments of linmu.compile(), so that a graph needs nothing else of the process that made it."""
    given = [_dense_rows(x.detach()) if wrt else x.detach() for x in operands]
    results = _kernel(program, wrt, of)._launch(given, None, threads, None)
    return list(results) if isinstance(results, tuple) else [results]


@operator.register_fake
def _(operands, program, wrt, of, threads):
    kernel = _kernel(program, wrt, of)
    extents = _extents(kernel, operands)
    types = kernels._torch_types()
    return [
        operands[0].new_empty([extents.get(axis, axis) for axis in shape], dtype=types[dtype])
        for _, dtype, shape in kernel.results
    ]


def _extents(kernel, operands) -> dict:
    """What the symbols of the signature stand for. Kernels themselves check operands; what would not fit is said when
    they run."""
    if len(operands) != len(kernel.inputs):
        raise ValueError(
            f"pattern '{kernel.name}': expected {len(kernel.inputs)} inputs, got {len(operands)}"
        )
    extents: dict = {}
    for (name, _, shape), operand in zip(kernel.inputs, operands, strict=True):
        if operand.dim() != len(shape):
            raise ValueError(
                f"operand '{name}' of pattern '{kernel.name}': expected {len(shape)} axes, got {operand.dim()}"
            )
        for axis, extent in zip(shape, operand.shape, strict=True):
            if axis == "S+1":
                extents.setdefault("S", extent - 1)
            elif axis == "B" and extents.get("B", 1) == 1:
                extents["B"] = extent  # an extent of 1 serves every batch
            elif isinstance(axis, str):
                extents.setdefault(axis, extent)
    return extents


def _keep(ctx, inputs, output):
    operands, ctx.program, ctx.wrt, _, ctx.threads = inputs
    ctx.set_materialize_grads(False)
    if not ctx.wrt:
        ctx.save_for_backward(*operands)


def _backward(ctx, cotangents):
    kernel = _kernel(ctx.program, "", "")
    if ctx.wrt:
        raise NotImplementedError(
            f"the gradient of pattern '{kernel.name}' has no gradient: derivatives of the second order are not "
            "supported; detach() what is not to be differentiated again"
        )
    operands = ctx.saved_tensors
    wanted = [i for i, wants in enumerate(ctx.needs_input_grad[0]) if wants]
    given = [(name, x) for (name, _, _), x in zip(kernel.results, cotangents, strict=True) if x is not None]
    gradients: list = [None] * len(operands)
    if wanted and given:
        wrt, of = ",".join(kernel.inputs[i][0] for i in wanted), ",".join(name for name, _ in given)
        found = torch.ops.linmu.run([*operands, *(x for _, x in given)], ctx.program, wrt, of, ctx.threads)
        for i, gradient in zip(wanted, found, strict=True):
            # An input that served every batch gets the sum.
            shared = gradient.shape[0] != operands[i].shape[0]
            gradients[i] = gradient.sum(0, keepdim=True) if shared else gradient
    return gradients, None, None, None, None


operator.register_autograd(_backward, setup_context=_keep)


def call(kernel, inputs: list, threads: int):
    """The results of a kernel on tensors, one as it is and several as a tuple."""
    results = torch.ops.linmu.run(
        inputs, kernel._program, ",".join(kernel._wrt), ",".join(kernel._of), threads
    )
    return results[0] if len(results) == 1 else tuple(results)
