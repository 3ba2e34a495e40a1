// Commands that run a recipe.
#pragma once
#include "distill/recipe.h"
#include <CLI/CLI.hpp>
#include <string>

namespace linmu::tools {

/// A subcommand that takes recipes of one kind, with --out, --device, --precision and --resume.
void addRecipeCommand(CLI::App &app, const std::string &name, const std::string &summary,
                      distill::RecipeKind kind);

} // namespace linmu::tools
