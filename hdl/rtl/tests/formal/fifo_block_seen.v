  // One place of the memory, for the properties of whoever has the queue.
  wire [4:0] looked_at;
  wire [2:0] found = ram[looked_at];
