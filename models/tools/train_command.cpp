// linmu train: a model learns the answers of data, by a recipe, without a teacher.
#include "models/tools/commands.h"
#include "models/tools/recipe_command.h"

namespace linmu::tools {

void addTrain(CLI::App &app) {
  addRecipeCommand(app, "train", "Train a vision-language model on questions and answers",
                   distill::RecipeKind::train);
}

} // namespace linmu::tools
