/** Exports of lib/recipe for other folders. */

export { loadRecipe, parseRecipe } from './load.js'
export { pinnedRecipe, type RecipeDifference, recipeDifference } from './recipe-lock.js'
export { recipeFields, recipeReference } from './reference.js'
export { builtinModel, type Recipe, type RecipeModel, type RecipeSource, recipeOptions } from './schema.js'
export { allowedAt } from './schema-tree.js'
