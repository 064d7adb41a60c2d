// Connects to the socket named by its argument, and says what came of it. Run as another user.
import { connect } from "node:net";

const socket = connect(process.argv[2]);
socket.once("connect", () => {
  process.stdout.write("connected");
  socket.destroy();
});
socket.once("error", (thrown) => process.stdout.write(thrown.code));
