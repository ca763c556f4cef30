import type { ImageRecipe } from "./image-recipe.ts";
import type { Part, PartSet } from "./part.ts";

/** The part that one image of the lab's registry is. */
export function imagePart(recipe: ImageRecipe, set: PartSet): Part {
  const needs = Object.values(recipe.programs);
  if (recipe.base) needs.unshift("image-base");
  if (recipe.certificates === true) needs.push("ca-certificates");
  return {
    name: recipe.name,
    version: recipe.tags[0] ?? "",
    purpose: `The image ${recipe.repository}`,
    set,
    needs,
    seconds: 1,
    wanted: true,
    source: { kind: "image", recipe },
  };
}
