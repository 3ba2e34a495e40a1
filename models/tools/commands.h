// The subcommands of `linmu`. Each adds itself, its options and what it runs.
#pragma once
#include <CLI/CLI.hpp>

namespace linmu::tools {

void addAnswer(CLI::App &app);
void addBench(CLI::App &app);
void addChat(CLI::App &app);
void addData(CLI::App &app);
void addDemo(CLI::App &app);
void addDistill(CLI::App &app);
void addDoctor(CLI::App &app);
void addEval(CLI::App &app);
void addGenerate(CLI::App &app);
void addInit(CLI::App &app);
void addSettings(CLI::App &app);
void addTrain(CLI::App &app);

} // namespace linmu::tools
