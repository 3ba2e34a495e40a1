// How a clip is divided into tokens.
#pragma once
#include "models/media/frames.h"
#include <string>

namespace linmu::media {

/// Frames, rows and columns of pixels that make up one token.
struct PatchShape {
  int t = 2;
  int h = 16;
  int w = 16;
  int values() const { return t * h * w; }
  bool operator==(const PatchShape &) const = default;
};

/// Tokens along time, height and width.
struct TokenGrid {
  int t = 0;
  int h = 0;
  int w = 0;
  int tokens() const { return t * h * w; }
  bool operator==(const TokenGrid &) const = default;
};

/// A grid, and the frames and pixels that it covers exactly.
struct ClipPlan {
  TokenGrid grid;
  int frames = 0;
  FrameSize size;
};

/// The grid of exactly `tokens` tokens for a clip of `available` frames whose pictures are `aspect` = width /
/// height. Among the factorisations t h w = tokens with t <= available / patch.t (frames are never repeated),
/// sides of at most 8192 pixels and an aspect within a factor of 2.5 of the clip's (frames are resized, not
/// cropped), it takes the one with the least
///   |ln(grid aspect / clip aspect)| + |ln(h w / 256)|,
/// so about 256 tokens a time step and more time steps for more tokens, until the clip is used up; after
/// that, more tokens a time step. Of equals, the one with the larger t, then w. For 16:9 and patches of
/// 2x16x16: 512 tokens are 2x16x16, 32,768 are 128x16x16 given 256 frames, and 64x16x32 given 250. Throws
/// Error(invalidArgument) if there is none, or an argument is not positive.
ClipPlan planClip(int tokens, int available, double aspect, PatchShape patch = {});

/// "2x16x16"
std::string toString(const TokenGrid &grid);

} // namespace linmu::media
