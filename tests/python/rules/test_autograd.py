"""Kernels and rules under torch's autograd and torch.compile: against autograd of the recurrence as a loop in fp64."""

import subprocess
import sys

import pytest
import torch
import torch._dynamo.testing

import linmu
from linmu import Param, State, Tokens, outer, scan, sigmoid, zeros

TEXT = """
!key = tensor<?x?x2x8xf32>
!value = tensor<?x?x2x4xf32>
!gate = tensor<?x?x2xf32>
!state = tensor<?x2x8x4xf32>
func.func @recall(%q: !key, %k: !key, %v: !value, %g: !gate, %w: tensor<2xf32>, %s0: !state, %m: tensor<?x?xi1>)
    -> (!value, !state) {
  %o, %s = pattern.scan
      params(%bias = %w : tensor<2xf32>)
      tokens(%qt = %q : !key, %kt = %k : !key, %vt = %v : !value, %gt = %g : !gate)
      states(%S = %s0 : !state)
      source_mask(%m : tensor<?x?xi1>) zeroes(%kt)
      -> (!value) {
    %raw = arith.addf %gt, %bias : f32
    %a = pattern.sigmoid %raw : f32
    %A = pattern.broadcast %a : f32 to tensor<8x4xf32>
    %D = arith.mulf %A, %S : tensor<8x4xf32>
    %W = pattern.outer %kt, %vt : tensor<8xf32>, tensor<4xf32>
    %S1 = arith.addf %D, %W : tensor<8x4xf32>
    %y = pattern.read %S1, %qt : tensor<8x4xf32>, tensor<8xf32>
    pattern.yield outputs(%y : tensor<4xf32>) states(%S1 : tensor<8x4xf32>)
  }
  return %o, %s : !value, !state
}
"""
NAMES = ["q", "k", "v", "g", "w", "s0"]


def loop(q, k, v, g, w, s0, m):
    state, out = s0.expand(len(q), 2, 8, 4), []
    for t in range(q.shape[1]):
        written = torch.where(m[:, t, None, None], k[:, t], 0.0)
        state = torch.sigmoid(g[:, t] + w)[..., None, None] * state + written[..., None] * v[:, t, :, None]
        out.append(torch.einsum("bhk,bhkv->bhv", q[:, t], state))
    return torch.stack(out, 1), state


def operands(batch=2, tokens=37, states=2, seed=0):
    random = torch.Generator().manual_seed(seed)
    shapes = [(batch, tokens, 2, 8)] * 2 + [
        (batch, tokens, 2, 4),
        (batch, tokens, 2),
        (2,),
        (states, 2, 8, 4),
    ]
    given = [torch.randn(shape, generator=random) for shape in shapes]
    return [x.requires_grad_() for x in given] + [torch.rand(batch, tokens, generator=random) > 0.3]


def as_double(given):
    return [x.detach().double().requires_grad_() if x.is_floating_point() else x for x in given]


def worst(actual, expected):
    return float((actual.double() - expected).abs().max() / expected.square().mean().sqrt())


def weighted(results):
    """A number that depends on every element of the results."""
    random = torch.Generator().manual_seed(9)
    return sum((x * torch.randn(x.shape, generator=random).to(x.dtype)).sum() for x in results)


def assert_gradients_of_the_loop(call, given, tolerance=5e-5):
    exact = as_double(given)
    actual = torch.autograd.grad(weighted(call(*given)), given[:6])
    expected = torch.autograd.grad(weighted(loop(*exact)), exact[:6])
    errors = {name: worst(a, e) for name, a, e in zip(NAMES, actual, expected, strict=True)}
    assert max(errors.values()) < tolerance, errors


@pytest.fixture(scope="module")
def kernel():
    return linmu.compile(TEXT)


@linmu.pattern
def recall(q: Tokens["H", "K"], k: Tokens["H", "K"], v: Tokens["H", "V"], g: Tokens["H"], w: Param["H"],
           s0: State["H", "K", "V"], scale=1.0):  # fmt: skip
    @scan(S=s0)
    def step(S, q, k, v, g):
        S = sigmoid(g + w) * S + scale * outer(k, v)
        return S, q @ S

    return step(q, k, v, g), step.S


def all_tokens(given):
    return [*given[:6], torch.ones_like(given[6])]


def call_rule(q, k, v, g, w, s0, m):
    return recall(q, k, v, g, w, s0)


@pytest.mark.parametrize(("batch", "tokens", "states"), [(2, 37, 2), (1, 1, 1), (3, 130, 3), (3, 20, 1)])
def test_a_kernel_has_the_gradients_of_the_loop(kernel, batch, tokens, states):
    """The last case: an initial state that serves every sequence gets the sum."""
    assert_gradients_of_the_loop(kernel, operands(batch, tokens, states))


def test_a_rule_has_the_gradients_of_the_loop():
    for _ in range(2):
        assert_gradients_of_the_loop(call_rule, all_tokens(operands()))


def test_results_that_nothing_uses_and_inputs_that_want_no_gradient_are_left_out(kernel):
    given = operands()
    exact = as_double(given)
    for result in (0, 1):
        actual = torch.autograd.grad(kernel(*given)[result].sum(), given[1])
        assert worst(actual[0], torch.autograd.grad(loop(*exact)[result].sum(), exact[1])[0]) < 5e-5
    detached = [x.detach() for x in given]
    assert not kernel(*detached)[0].requires_grad
    with torch.no_grad():
        assert not kernel(*given)[0].requires_grad
        torch.testing.assert_close(kernel(*given), kernel(*detached))


def test_the_kernel_of_the_gradients_may_be_called_itself(kernel):
    given = operands()
    gradient = kernel.gradient(wrt=["q", "w"], of="o")
    assert [name for name, _, _ in gradient.inputs] == ["q", "k", "v", "g", "w", "s0", "m", "d_o"]
    assert [name for name, _, _ in gradient.results] == ["d_q", "d_w"]
    cotangent = torch.randn(2, 37, 2, 4)
    expected = torch.autograd.grad(kernel(*given)[0], [given[0], given[4]], cotangent)
    actual = gradient(*(x.detach() for x in given), cotangent)
    # A kernel of fewer gradients may sum them in another order.
    torch.testing.assert_close(actual, expected, rtol=2e-6, atol=2e-6)
    assert [name for name, _, _ in kernel.gradient().results] == ["d_" + name for name in NAMES]
    with pytest.raises(
        linmu.PatternError, match="has no input 'x' to differentiate; it has: q, k, v, g, w, s0"
    ):
        kernel.gradient("x")
    with pytest.raises(
        linmu.PatternError, match="has no result 'x' of floats to differentiate; it has: o, s"
    ):
        kernel.gradient(of=["x"])
    with pytest.raises(TypeError, match=r'wrt: expected names as str, such as \["q", "k"\], got 3'):
        kernel.gradient([3])


@pytest.mark.parametrize("wants", [[True] * 6, [False, True, False, False, True, False], [False] * 6])
def test_the_operator_passes_torchs_own_check(kernel, wants):
    given = [x.detach().requires_grad_(want) for x, want in zip(operands(tokens=9), wants, strict=False)]
    arguments = ([*given, operands(tokens=9)[6]], kernel._program, "", "", 0)
    kernel(*operands())  # the first call registers the operator
    torch.library.opcheck(torch.ops.linmu.run.default, arguments)


def test_the_operator_of_the_gradient_passes_torchs_own_check(kernel):
    given = [x.detach() for x in operands(tokens=9)]
    arguments = ([*given, torch.randn(2, 9, 2, 4)], kernel._program, "q,w", "o", 0)
    kernel(*operands())
    torch.library.opcheck(torch.ops.linmu.run.default, arguments)


def block(call):
    """Ops of torch before and behind the call."""
    return lambda q, k, v, g, w, s0, m: tuple(2 * x for x in call(torch.tanh(q), k, v, g, w, s0, m))


def loop_of_block(*given):
    return block(loop)(*given)


@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
@pytest.mark.parametrize("kind", ["kernel", "rule"])
def test_torch_compile_makes_one_graph_with_the_same_results_and_gradients(kernel, kind, backend):
    torch._dynamo.reset()
    call = kernel if kind == "kernel" else call_rule
    given = operands() if kind == "kernel" else all_tokens(operands())
    compiled = torch.compile(block(call), fullgraph=True, backend=backend)
    plain = block(call)(*given)
    torch.testing.assert_close(compiled(*given), plain, rtol=1e-5, atol=1e-5)
    actual = torch.autograd.grad(weighted(compiled(*given)), given[:6])
    expected = torch.autograd.grad(weighted(plain), given[:6])
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["kernel", "rule"])
def test_torch_compile_of_any_number_of_tokens_is_one_graph(kernel, kind):
    torch._dynamo.reset()
    call = kernel if kind == "kernel" else call_rule
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(block(call), fullgraph=True, backend=counter, dynamic=True)
    counts = []
    for tokens in (37, 12, 70):
        given = operands(tokens=tokens)
        given = given if kind == "kernel" else all_tokens(given)
        actual = torch.autograd.grad(weighted(compiled(*given)), given[:6])
        expected = torch.autograd.grad(weighted(block(call)(*given)), given[:6])
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)
        counts.append(counter.frame_count)
    assert len(set(counts)) == 1


def test_torch_compile_of_a_rule_with_constants_and_names():
    torch._dynamo.reset()
    given = [x.detach() for x in operands()[:6]]
    compiled = torch.compile(
        lambda *x: recall(*x[:3], s0=x[5], g=x[3], w=x[4], scale=0.5), fullgraph=True, backend="aot_eager"
    )
    torch.testing.assert_close(compiled(*given), recall(*given, scale=0.5))


def test_a_compiled_model_goes_where_its_text_is_not(kernel, tmp_path):
    """A program of torch.export holds the pattern."""

    class Model(torch.nn.Module):
        def forward(self, *given):
            return kernel(*given)

    given = [x.detach() for x in operands()]
    torch.export.save(torch.export.export(Model(), tuple(given)), tmp_path / "model.pt2")
    torch.save((given, kernel(*given)), tmp_path / "given.pt")
    code = f"""
import torch, linmu
from linmu import torch_operator
given, expected = torch.load({str(tmp_path / "given.pt")!r})
model = torch.export.load({str(tmp_path / "model.pt2")!r}).module()
torch.testing.assert_close(model(*given), expected, rtol=0, atol=0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("kind", ["kernel", "rule"])
def test_a_second_derivative_is_one_error(kernel, kind):
    given = all_tokens(operands())
    call = kernel if kind == "kernel" else call_rule
    (first,) = torch.autograd.grad(call(*given)[0].square().sum(), given[0], create_graph=True)
    with pytest.raises(
        NotImplementedError, match="has no gradient: derivatives of the second order are not supported"
    ):
        first.sum().backward()


def test_a_rule_without_a_derived_gradient_is_refused_at_its_line_when_backward_asks_for_it():
    @linmu.pattern
    def bounded(x: Tokens["H", "K"]):
        @scan(S=zeros("H", "K"))
        def step(S, x):
            S = linmu.tanh(S + x)
            return S, S

        return step(x)

    result = bounded(torch.randn(1, 5, 2, 4, requires_grad=True))
    with pytest.raises(linmu.PatternError, match=r"test_autograd.py:\d+.*has no gradient yet"):
        result.sum().backward()


def test_what_a_call_with_gradients_cannot_take_is_named(kernel, tmp_path):
    given = operands()
    with pytest.raises(
        TypeError, match="operand 'k' of pattern 'recall': expected a torch tensor.*got ndarray"
    ):
        kernel(given[0], given[1].detach().numpy(), *given[2:])
    with pytest.raises(TypeError, match="stream of pattern 'recall': expected none"):
        kernel(*given, stream=0)
    out = [torch.empty(2, 37, 2, 4), torch.empty(2, 2, 8, 4)]
    with pytest.raises(ValueError, match="operand 'q' of pattern 'recall'.*detach"):
        kernel(*given, out=out)
    kernel(*(x.detach() for x in given), out=out)


def test_a_package_has_no_gradient(kernel, tmp_path):
    (tmp_path / "recall.mlir").write_text(TEXT)
    command = ["linmuc", tmp_path / "recall.mlir", "--package", tmp_path / "recall.lmk"]
    subprocess.run(command, check=True)
    opened = linmu.load(tmp_path / "recall.lmk")
    with pytest.raises(TypeError, match="pattern 'recall' comes from a package, which holds no gradient"):
        opened.gradient()
    with pytest.raises(ValueError, match="operand 'q' of pattern 'recall'.*detach"):
        opened(*operands())


def test_linmu_is_imported_without_torch_and_calls_on_arrays_do_not_bring_it_in():
    code = """
import sys, linmu
kernel = linmu.compile(sys.stdin.read())
kernel.gradient()
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], input=TEXT, text=True, check=True)
