// Ordinary steps with npm's @azure/cosmos against the emulator at the address that is given; prints what fails.
const { CosmosClient } = require("@azure/cosmos");

const client = new CosmosClient({
  endpoint: process.argv[2],
  key: "bG9jYWw=",
  connectionPolicy: { enableEndpointDiscovery: false },
});
let passed = 0;
let total = 0;

async function step(name, work, wanted) {
  total += 1;
  try {
    const found = await work();
    if (wanted !== undefined && JSON.stringify(found) !== JSON.stringify(wanted)) {
      throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
    }
    passed += 1;
    return found;
  } catch (error) {
    console.log(`failed: ${name}: ${error.code ?? ""} ${String(error.message).slice(0, 160)}`);
    return undefined;
  }
}

const refused = (work) => work().then(() => "served", (error) => error.code);

async function main() {
  const { database } = await client.databases.createIfNotExists({ id: "steps" });
  const { container } = await database.containers.createIfNotExists({ id: "items", partitionKey: { paths: ["/user"] } });
  const { items } = container;
  const item = (id) => container.item(id, "u");
  const query = (text, options) => items.query(text, { partitionKey: "u", ...options });
  const stale = { accessCondition: { type: "IfMatch", condition: '"stale"' } };

  for (const [id, n] of [["1", 1], ["2", 2], ["3", 3]]) await step("create", () => items.create({ id, user: "u", n }));
  await step("create in another partition", () => items.create({ id: "1", user: "v", n: 9 }));
  await step("read", async () => (await item("1").read()).resource.n, 1);
  await step("read nothing", async () => (await item("9").read()).statusCode, 404);
  await step("replace", async () => (await item("1").replace({ id: "1", user: "u", n: 10 })).resource.n, 10);
  await step("upsert", async () => (await items.upsert({ id: "4", user: "u", n: 4 })).statusCode, 201);
  await step("patch", async () => (await item("1").patch([{ op: "incr", path: "/n", value: 1 }])).resource.n, 11);
  await step("conflict", () => refused(() => items.create({ id: "1", user: "u" })), 409);
  await step("stale", () => refused(() => item("1").replace({ id: "1", user: "u" }, stale)), 412);
  await step("query", async () => (await query("SELECT * FROM c WHERE c.n > 2").fetchAll()).resources.length, 3);
  await step("order", async () => (await query("SELECT * FROM c ORDER BY c.n DESC").fetchAll()).resources[0].n, 11);
  await step("count", async () => (await query("SELECT VALUE COUNT(1) FROM c").fetchAll()).resources, [4]);
  await step("pages", async () => {
    const pages = query("SELECT * FROM c", { maxItemCount: 3 });
    const sizes = [];
    while (pages.hasMoreResults()) sizes.push(((await pages.fetchNext()).resources ?? []).length);
    return sizes.reduce((sum, size) => sum + size, 0);
  }, 4);
  await step("batch", async () => {
    const operations = [{ operationType: "Create", resourceBody: { id: "5", user: "u" } }, { operationType: "Delete", id: "4" }];
    return (await items.batch(operations, "u")).result.map((each) => each.statusCode);
  }, [201, 204]);
  await step("delete", async () => (await item("5").delete()).statusCode, 204);
  await step("list databases", async () => (await client.databases.readAll().fetchAll()).resources.some((each) => each.id === "steps"), true);
  await step("list containers", async () => (await database.containers.readAll().fetchAll()).resources.map((each) => each.id), ["items"]);
  await step("query across partitions", () => refused(() => items.query("SELECT * FROM c").fetchAll()), 400);
  await step("delete the container", async () => (await container.delete()).statusCode, 204);
  await step("delete the database", async () => (await database.delete()).statusCode, 204);
  console.log(`${passed} of ${total} steps with npm's @azure/cosmos`);
  process.exitCode = passed === total ? 0 : 1;
}

main();
