// linmu distill: a decoder with attention becomes LinMU, by a recipe.
#include "models/tools/commands.h"
#include "models/tools/recipe_command.h"

namespace linmu::tools {

void addDistill(CLI::App &app) {
  addRecipeCommand(app, "distill", "Make a LinMU model of a teacher with attention",
                   distill::RecipeKind::distill);
}

} // namespace linmu::tools
