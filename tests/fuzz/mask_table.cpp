// Tables that name files of masks, in a folder with an array and a ticket.

#include "tombola/analysis/mask_table.hpp"

#include "tests/fuzz/support.hpp"

#include "tombola/io/npy.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A name with a slash leaves the folder.
  if (fuzz::text_of(data, size).find('/') != std::string_view::npos) return 0;
  static const bool made = [] {
    mask m{12};
    m.set(3);
    io::write_mask_npy(fuzz::scratch() / "a.npy", {3, 4}, m, io::mask_number::uint8);
    io::write_ticket(fuzz::scratch() / "t", ticket{{{"mlps", {3}}, {"x\x1B[31m", {2}}}});
    return true;
  }();
  fuzz::hold(made, "there are files");
  const auto& folder = fuzz::as_folder(fuzz::text_of(data, size), {"table.csv"});
  const auto sets =
      fuzz::accepted([&] { return analysis::read_mask_table(folder / "table.csv"); }, true);
  if (!sets) return 0;
  fuzz::hold(!sets->empty(), "a table names masks");
  for (const auto& set : *sets) {
    for (const auto& task : set.tasks) {
      fuzz::hold(!task.task.empty() && !task.seeds.empty(), "a task has a name and tickets");
      for (const auto& seed : task.seeds) {
        fuzz::hold(!seed.files.empty() && seed.value.size() != 0, "a ticket is out of files");
      }
    }
  }
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::string full =
      "file,task,seed,set,group\na.npy,CoLA,0,x,heads\nt,CoLA,0,x,\na.npy,RTE,1,y,\n";
  to.add(full);
  to.add(full, ",\na", ",mlps\na");
  to.add(full, "a.npy,RTE", "a.npy,");
  to.add(full, "a.npy,RTE", "\x1B[31m,RTE");
  to.add(full, "a.npy,RTE", "table.csv,RTE");
  to.add("file,task,seed\na.npy,CoLA,0\nt,CoLA,1\n");
  to.add("file,task,seed\nt,\x1B[31m,0\nt,\x1B[31m,18446744073709551615\n");
  to.words({"file", "task", "seed", "set", "group", "a.npy", "t", "..", "\r\n", "\"\"", "\",\"",
            "heads", "mlps", "table.csv"});
}
