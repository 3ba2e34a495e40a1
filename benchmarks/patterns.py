"""The patterns that are measured, as text for H heads of D features."""


def scan(
    heads: int,
    size: int,
    decay: str = "scalar",
    feedback: bool = False,
    ordered: bool = False,
    dtype: str = "f32",
    groups: int = 0,
    sequences: bool = False,
    initial: bool = False,
) -> str:
    """S' = a S + k (x) w, o = q^T S'; w = v, or b (v - k^T a S) with feedback.

    `dtype` is that of q, k, v, o and of row-wise decays; scalar decays (logarithms) and b are f32. `groups`: heads of
    k and v, where they are fewer. `sequences`: a ragged batch by a table. `initial`: the state comes in and goes out.
    """
    token = f"tensor<?x?x{heads}x{size}x{dtype}>"
    shared = f"tensor<?x?x{groups or heads}x{size}x{dtype}>"
    state = f"tensor<?x{heads}x{size}x{size}xf32>"
    scalar = f"tensor<?x?x{heads}xf32>"
    matrix, vector = f"tensor<{size}x{size}xf32>", f"tensor<{size}xf32>"
    row = decay == "row"
    gate_type, gate = (token, vector) if row else (scalar, "f32")
    step = [
        f"%log = pattern.assume %gt in [-1000.0, 0.0] : {gate}",
        f"%a = math.exp %log : {gate}",
        f"%A = pattern.broadcast %a {'along 0 ' if row else ''}: {gate} to {matrix}",
        f"%D = arith.mulf %A, %S : {matrix}",
    ]
    if feedback:
        step += [
            f"%u = pattern.read %D, %kt : {matrix}, {vector}",
            f"%e = arith.subf %vt, %u : {vector}",
            f"%B = pattern.broadcast %bt : f32 to {vector}",
            f"%w = arith.mulf %B, %e : {vector}",
        ]
    written = "%w" if feedback else "%vt"
    step += [
        f"%W = pattern.outer %kt, {written} : {vector}, {vector}",
        f"%S1 = arith.addf %D, %W : {matrix}",
        f"%y = pattern.read %S1, %qt : {matrix}, {vector}",
        f"pattern.yield outputs(%y : {vector}) states(%S1 : {matrix})",
    ]
    operands = {"q": token, "k": shared, "v": shared, "g": gate_type}
    if feedback:
        operands["b"] = scalar
    arguments = [f"%{name}: {kind}" for name, kind in operands.items()]
    tokens = ", ".join(f"%{name}t = %{name} : {kind}" for name, kind in operands.items())
    clauses = ""
    if ordered:
        arguments.append("%i: tensor<?x?xi32>")
        clauses += "      order(%i : tensor<?x?xi32>)\n"
    if sequences:
        arguments.append("%cu: tensor<?xi32>")
        clauses += "      sequences(%cu : tensor<?xi32>)\n"
    if initial:
        arguments.append(f"%s0: {state}")
    results, returned = (f"({token}, {state})", "%o, %s") if initial else (token, "%o")
    types = results.strip("()")
    body = "\n".join("    " + line for line in step)
    return (
        f"func.func @scan({', '.join(arguments)}) -> {results} {{\n"
        f"  %o, %s = pattern.scan\n      tokens({tokens})\n"
        f"      states(%S = {'%s0' if initial else 'zero'} : {state})\n{clauses}"
        f"      -> ({token}) {{\n{body}\n  }}\n  return {returned} : {types}\n}}\n"
    )


def window(
    heads: int, size: int, dtype: str = "f32", window: tuple = (16, 4, 4), shift: tuple = (8, 2, 2)
) -> str:
    token = f"tensor<?x?x{heads}x{size}x{dtype}>"
    return (
        f"func.func @window(%q: {token}, %k: {token}, %v: {token}, %m: tensor<?x4xi32>) -> {token} {{\n"
        f"  %o = pattern.window_attention %q, %k, %v media(%m : tensor<?x4xi32>) window {list(window)} shift {list(shift)}\n"
        f"      scale {size**-0.5} wrap masked : ({token}, {token}, {token}) -> {token}\n"
        f"  return %o : {token}\n}}\n"
    )


def both(heads: int, size: int, dtype: str = "bf16") -> str:
    """Scalar decays in both directions, a decay each, and their mixture by a gate: o = c f + (1 - c) r."""
    return f"""
!t = tensor<?x?x{heads}x{size}x{dtype}>
!g = tensor<?x?x{heads}xf32>
!v = tensor<{size}xf32>
!m = tensor<{size}x{size}xf32>
!s = tensor<?x{heads}x{size}x{size}xf32>
func.func @both(%q: !t, %k: !t, %v: !t, %g: !g, %h: !g, %c: !g) -> !t {{
  %f, %sf = pattern.scan tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t, %gt = %g : !g)
      states(%S = zero : !s) -> (!t) {{
    %log = pattern.assume %gt in [-1000.0, 0.0] : f32
    %a = math.exp %log : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }}
  %r, %sr = pattern.scan reverse tokens(%qt = %q : !t, %kt = %k : !t, %vt = %v : !t, %ht = %h : !g)
      states(%S = zero : !s) -> (!t) {{
    %log = pattern.assume %ht in [-1000.0, 0.0] : f32
    %a = math.exp %log : f32
    %A = pattern.broadcast %a : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }}
  %o = pattern.map tokens(%ft = %f : !t, %rt = %r : !t, %ct = %c : !g) -> (!t) {{
    %C = pattern.broadcast %ct : f32 to !v
    %d = arith.subf %ft, %rt : !v
    %e = arith.mulf %C, %d : !v
    %z = arith.addf %rt, %e : !v
    pattern.yield outputs(%z : !v)
  }}
  return %o : !t
}}
"""


def gated(heads: int, size: int) -> str:
    """Unit keys and a decay by a map, the scan, then a map with RMSNorm of each head and a SiLU gate."""
    token, scalar = f"tensor<?x?x{heads}x{size}xf32>", f"tensor<?x?x{heads}xf32>"
    matrix, vector = f"tensor<{size}x{size}xf32>", f"tensor<{size}xf32>"
    return f"""
!t = {token}
!g = {scalar}
!w = tensor<{heads}x{size}xf32>
!v = {vector}
!m = {matrix}
func.func @gated(%q: !t, %k: !t, %v: !t, %x: !g, %gate: !t, %w: !w) -> !t {{
  %kn, %a = pattern.map tokens(%kt = %k : !t, %xt = %x : !g) -> (!t, !g) {{
    %p = pattern.dot %kt, %kt : !v
    %r = math.rsqrt %p : f32
    %rs = pattern.broadcast %r : f32 to !v
    %n = arith.mulf %rs, %kt : !v
    %decay = pattern.sigmoid %xt : f32
    pattern.yield outputs(%n, %decay : !v, f32)
  }}
  %o, %s = pattern.scan tokens(%qt = %q : !t, %kt = %kn : !t, %vt = %v : !t, %at = %a : !g)
      states(%S = zero : tensor<?x{heads}x{size}x{size}xf32>) -> (!t) {{
    %A = pattern.broadcast %at : f32 to !m
    %D = arith.mulf %A, %S : !m
    %W = pattern.outer %kt, %vt : !v, !v
    %S1 = arith.addf %D, %W : !m
    %y = pattern.read %S1, %qt : !m, !v
    pattern.yield outputs(%y : !v) states(%S1 : !m)
  }}
  %z = pattern.map params(%wt = %w : !w) tokens(%y = %o : !t, %gt = %gate : !t) -> (!t) {{
    %p = pattern.dot %y, %y : !v
    %count = arith.constant {float(size)} : f32
    %mean = arith.divf %p, %count : f32
    %small = arith.constant 1.0e-6 : f32
    %safe = arith.addf %mean, %small : f32
    %r = math.rsqrt %safe : f32
    %rs = pattern.broadcast %r : f32 to !v
    %n = arith.mulf %rs, %y : !v
    %nw = arith.mulf %n, %wt : !v
    %sg = pattern.sigmoid %gt : !v
    %silu = arith.mulf %gt, %sg : !v
    %out = arith.mulf %nw, %silu : !v
    pattern.yield outputs(%out : !v)
  }}
  return %z : !t
}}
"""
